//! Sockets that are read when something came and written when there is something.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use clets_wire::FrameBuffer;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

const RECEIVE_BYTES: usize = 256 << 10;

/// One connection, its bytes in and out.
pub(crate) struct Connection {
    stream: TcpStream,
    pub(crate) buffer: FrameBuffer,
    pub(crate) out: Vec<u8>,
    written: usize,
    pub(crate) open: bool,
}

impl Connection {
    /// From an address of the loopback to a port of it.
    pub(crate) fn dial(from: Ipv4Addr, port: u16) -> io::Result<Self> {
        let fd = socket(AddressFamily::INET, SocketType::STREAM, None)?;
        bind(&fd, &SocketAddrV4::new(from, 0))?;
        connect(&fd, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
        Self::over(TcpStream::from(fd))
    }

    fn over(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let buffer = FrameBuffer::new(RECEIVE_BYTES);
        Ok(Self { stream, buffer, out: Vec::new(), written: 0, open: true })
    }

    /// Reads once; false when nothing came.
    pub(crate) fn receive(&mut self) -> bool {
        match self.stream.read(self.buffer.recv_slice()) {
            Ok(0) => self.open = false,
            Ok(count) => {
                self.buffer.advance(count);
                return true;
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(_) => self.open = false,
        }
        false
    }

    /// Writes what the other end takes now.
    pub(crate) fn flush(&mut self) {
        while self.open && self.unsent() > 0 {
            match self.stream.write(self.out.get(self.written..).unwrap_or_default()) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.open = false,
            }
        }
        self.out.clear();
        self.written = 0;
    }

    /// Lets the system take as little for it as it does, so that the other end has the rest.
    pub(crate) fn narrow(&self) -> io::Result<()> {
        Ok(set_socket_recv_buffer_size(&self.stream, 0)?)
    }

    /// Ends the connection.
    pub(crate) fn hang_up(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
        self.out.clear();
        self.written = 0;
        self.open = false;
    }

    /// Bytes that the other end has not taken.
    pub(crate) fn unsent(&self) -> usize {
        self.out.len() - self.written
    }
}

/// What is waited for.
pub(crate) struct Poll {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
}

impl Poll {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)?, events: Vec::with_capacity(64) })
    }

    pub(crate) fn watch(&self, connection: &Connection, token: usize) -> io::Result<()> {
        let data = EventData::new_u64(token as u64);
        Ok(epoll::add(&self.epoll, &connection.stream, data, EventFlags::IN)?)
    }

    /// From now on it is only told of the connection's end.
    pub(crate) fn watch_end(&self, connection: &Connection, token: usize) -> io::Result<()> {
        let data = EventData::new_u64(token as u64);
        Ok(epoll::modify(&self.epoll, &connection.stream, data, EventFlags::RDHUP)?)
    }

    pub(crate) fn forget(&self, connection: &Connection) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, &connection.stream)?)
    }

    /// The tokens of the connections that can be read; waits for one at most that long.
    pub(crate) fn wait(&mut self, most: Duration) -> io::Result<Vec<usize>> {
        let most = Timespec::try_from(most).map_err(io::Error::other)?;
        self.events.clear();
        let room = rustix::buffer::spare_capacity(&mut self.events);
        match epoll::wait(&self.epoll, room, Some(&most)) {
            Err(error) if error != rustix::io::Errno::INTR => return Err(error.into()),
            _ => {}
        }
        let token = |event: &epoll::Event| usize::try_from(event.data.u64()).unwrap_or(usize::MAX);
        Ok(self.events.iter().map(token).collect())
    }
}

/// Takes the first caller of a port of the loopback, if one comes in time.
pub(crate) fn answer_one(port: u16, most: Duration) -> io::Result<Connection> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let most = Timespec::try_from(most).map_err(io::Error::other)?;
    let mut caller = [PollFd::new(&listener, PollFlags::IN)];
    if rustix::event::poll(&mut caller, Some(&most))? == 0 {
        return Err(io::Error::other("nobody called the host"));
    }
    Connection::over(listener.accept()?.0)
}
