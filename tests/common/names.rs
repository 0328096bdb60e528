//! A small DNS server (RFC 1035): SRV and A records that a test gives it, nothing else.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;

pub struct Srv {
    pub service: &'static str,
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    /// Its address is 127.0.0.1.
    pub host: &'static str,
}

/// Serves until the runtime ends; where it listens.
pub async fn serve(records: Vec<Srv>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let address = socket.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut question = [0; 1_500];
        while let Ok((len, from)) = socket.recv_from(&mut question).await {
            if let Some(answer) = answer(&question[..len], &records) {
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    address
}

fn answer(question: &[u8], records: &[Srv]) -> Option<Vec<u8>> {
    let (mut name, mut at) = (Vec::new(), 12);
    loop {
        let len = usize::from(*question.get(at)?);
        at += 1;
        if len == 0 {
            break;
        }
        name.push(String::from_utf8_lossy(question.get(at..at + len)?).to_ascii_lowercase());
        at += len;
    }
    let (name, kind) = (name.join("."), u16::from_be_bytes([*question.get(at)?, *question.get(at + 1)?]));
    let data: Vec<Vec<u8>> = match kind {
        1 if records.iter().any(|record| record.host == name) => vec![Ipv4Addr::LOCALHOST.octets().into()],
        33 => records.iter().filter(|record| record.service == name).map(service).collect(),
        _ => Vec::new(),
    };
    let known = records.iter().any(|record| record.service == name || record.host == name);
    let code = if known { 0x80 } else { 0x83 }; // NXDOMAIN
    let mut answer = question.get(..2)?.to_vec();
    answer.extend([0x85, code, 0, 1, 0, data.len() as u8, 0, 0, 0, 0]);
    answer.extend(question.get(12..at + 4)?);
    for data in data {
        answer.extend([0xc0, 12]); // the name asked for
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 5]);
        answer.extend((data.len() as u16).to_be_bytes());
        answer.extend(data);
    }
    Some(answer)
}

fn service(record: &Srv) -> Vec<u8> {
    let mut data = Vec::new();
    for number in [record.priority, record.weight, record.port] {
        data.extend(number.to_be_bytes());
    }
    for label in record.host.split('.') {
        data.push(label.len() as u8);
        data.extend(label.as_bytes());
    }
    data.push(0);
    data
}
