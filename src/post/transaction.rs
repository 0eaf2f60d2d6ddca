//! One email over an open connection (RFC 5321 §3.3).

use std::io;
use std::time::Duration;

use fecha_core::letter::outcome::{Fault, Phase, Problem};
use fecha_core::letter::reply::Reply;
use tokio::time::Instant;

use super::smtp::Timeouts;
use super::wire::{Wire, in_time};

/// Hands one message over, and gives the answer to it. It is ASCII with ASCII addresses, so no extension is needed; its lines end with CR LF.
pub(super) async fn run(
    wire: &mut Wire,
    (sender, recipient): (&str, &str),
    message: &[u8],
    timeouts: &Timeouts,
) -> Result<Reply, Problem> {
    let limit = timeouts.command;
    let mail = format!("MAIL FROM:<{sender}>");
    expect(2, Phase::Sender, wire.command(&mail, limit).await)?;
    let rcpt = format!("RCPT TO:<{recipient}>");
    expect(2, Phase::Recipient, wire.command(&rcpt, limit).await)?;
    expect(3, Phase::Message, wire.command("DATA", limit).await)?;
    let (mut phase, began) = (Phase::Message, Instant::now());
    let written = in_time(timeouts.message, write(wire, message, &mut phase)).await;
    written.map_err(|fault| Problem { phase, fault })?;
    let left = timeouts.message.saturating_sub(began.elapsed()).max(Duration::from_millis(1));
    // The limit is for both; a fault names it.
    let reply = wire.reply(left).await.map_err(|fault| match fault {
        Fault::Silent(_) => Fault::Silent(timeouts.message),
        fault => fault,
    });
    expect(2, Phase::Answer, reply)
}

/// The reply is what it must be to go on.
pub(super) fn expect(
    class: u16,
    phase: Phase,
    reply: Result<Reply, Fault>,
) -> Result<Reply, Problem> {
    match reply {
        Ok(reply) if reply.class() == class => Ok(reply),
        Ok(reply) => Err(Problem { phase, fault: Fault::Refused(reply) }),
        Err(fault) => Err(Problem { phase, fault }),
    }
}

/// The message in pieces, and its end; `phase` says when the end is being written: from then on the server
/// may have it.
async fn write(wire: &mut Wire, message: &[u8], phase: &mut Phase) -> io::Result<()> {
    let stuffed = dots_doubled(message);
    for piece in stuffed.chunks(64 * 1024) {
        wire.write(piece).await?;
    }
    *phase = Phase::Answer;
    wire.write(END).await
}

const END: &[u8] = b".\r\n";

/// A line that begins with a dot gets another one (RFC 5321 §4.5.2), and the last line an end.
fn dots_doubled(message: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(message.len() + 64);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            stuffed.push(b'.');
        }
        stuffed.extend_from_slice(line);
    }
    if !stuffed.ends_with(b"\r\n") {
        stuffed.extend_from_slice(b"\r\n");
    }
    stuffed
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(b"a\r\n", b"a\r\n")]
    #[case(b"a", b"a\r\n")]
    #[case(b".\r\n..\r\na.b\r\n.", b"..\r\n...\r\na.b\r\n..\r\n")]
    #[case(b"", b"\r\n")]
    fn no_line_ends_the_message_before_its_end(#[case] message: &[u8], #[case] expected: &[u8]) {
        assert_eq!(dots_doubled(message), expected);
    }
}
