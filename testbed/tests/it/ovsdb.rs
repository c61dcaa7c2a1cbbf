use std::{fs, net::TcpStream, os::unix::net::UnixStream, panic, path::Path, thread};

use testbed::{Error, OvsdbServer, or_skip};

#[test]
fn both_sockets_serve_the_same_database() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["add-br", "br0"]).unwrap();
    for remote in [server.remote(), server.tcp_remote()] {
        let dump = server
            .client(&["dump", &remote, "Open_vSwitch", "Bridge", "name"])
            .unwrap();
        assert!(dump.contains("br0"), "{remote}: {dump}");
    }
}

#[test]
fn drop_leaves_no_process_and_no_directory() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let (pid, dir) = (server.pid(), server.dir().to_owned());
    assert!(runs(pid) && dir.is_dir());
    drop(server);
    assert!(!runs(pid) && !dir.exists());
}

#[test]
fn a_panic_leaves_no_process_and_no_directory() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let (pid, dir) = (server.pid(), server.dir().to_owned());
    let panicked = thread::spawn(move || {
        let _server = server;
        // Unwinds as a failed assertion does, without its message.
        panic::resume_unwind(Box::new(()));
    });
    assert!(panicked.join().is_err());
    assert!(!runs(pid) && !dir.exists());
}

#[test]
fn restart_keeps_data_socket_and_port() {
    let Some(mut server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    server.vsctl(&["add-br", "br0"]).unwrap();
    let (pid, remote, tcp_remote) = (server.pid(), server.remote(), server.tcp_remote());
    server.kill();
    assert!(!runs(pid));
    assert!(UnixStream::connect(server.socket()).is_err());
    assert!(TcpStream::connect(tcp_remote.trim_start_matches("tcp:")).is_err());

    server.restart().unwrap();
    assert_ne!(server.pid(), pid);
    assert_eq!((server.remote(), server.tcp_remote()), (remote, tcp_remote));
    assert_eq!(server.vsctl(&["list-br"]).unwrap(), "br0\n");
}

#[test]
fn a_start_that_fails_quotes_the_log() {
    let Some(mut server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    fs::write(server.dir().join("conf.db"), "no database").unwrap();
    let Err(Error::Start { what, status, log }) = server.restart() else {
        panic!("started on a broken file")
    };
    assert_eq!(what, "ovsdb-server");
    assert!(!status.success());
    assert!(log.contains("conf.db"), "{log}");
}

#[test]
fn a_command_that_fails_gives_its_arguments_and_its_standard_error() {
    let Some(server) = or_skip(OvsdbServer::start()) else {
        return;
    };
    let Err(Error::Command { argv, status, stderr }) = server.vsctl(&["list-ports", "br9"]) else {
        panic!("listed the ports of a bridge that is not there")
    };
    assert_eq!(argv[argv.len() - 2..], ["list-ports", "br9"]);
    assert_eq!(status.code(), Some(1));
    assert_eq!(stderr, "ovs-vsctl: no bridge named br9\n");
}

#[test]
fn parallel_servers_do_not_meet() {
    let start = || or_skip(OvsdbServer::start());
    let servers: Vec<_> = thread::scope(|scope| {
        let starts: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        starts
            .into_iter()
            .filter_map(|start| start.join().unwrap())
            .collect()
    });
    for (index, server) in servers.iter().enumerate() {
        server.vsctl(&["add-br", &format!("br{index}")]).unwrap();
    }
    for (index, server) in servers.iter().enumerate() {
        assert_eq!(server.vsctl(&["list-br"]).unwrap(), format!("br{index}\n"));
    }
}

/// A killed child that nobody reaped still counts as running.
pub(crate) fn runs(pid: u32) -> bool {
    Path::new("/proc").join(pid.to_string()).exists()
}
