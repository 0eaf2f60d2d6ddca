//! Whatever bytes a mail server says, however they arrive: no panic, a reply is the same however it was cut, nothing
//! grows beyond its bounds, and whose trouble an answer is has one meaning.
#![no_main]

use arbitrary::Arbitrary;
use fecha_core::letter::outcome::{Before, Fault, Phase, Problem, whose};
use fecha_core::letter::reply::{MOST, NoReply, Reply, ReplyReader};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Case<'a> {
    said: &'a [u8],
    /// How long each piece is that arrives, round and round.
    pieces: [u8; 4],
    phase: u8,
    before: u8,
    /// How often it is said before its end comes: servers that do not end.
    again: u16,
}

/// All replies of a stream, and how it ended.
fn replies(stream: &[u8], pieces: impl Iterator<Item = usize>) -> (Vec<Reply>, Option<NoReply>) {
    let (mut reader, mut rest, mut found) = (ReplyReader::default(), stream, Vec::new());
    for length in pieces {
        let (mut piece, behind) = rest.split_at(length.clamp(1, rest.len().max(1)).min(rest.len()));
        rest = behind;
        while !piece.is_empty() {
            match reader.take(piece) {
                Ok((used, reply)) => {
                    assert!((1..=piece.len()).contains(&used));
                    piece = &piece[used..];
                    found.extend(reply);
                }
                Err(error) => return (found, Some(error)),
            }
        }
        if rest.is_empty() {
            break;
        }
    }
    (found, None)
}

fuzz_target!(|case: Case<'_>| {
    let said = if case.again > 60_000 { case.said.repeat(400) } else { case.said.to_vec() };
    let whole = replies(&said, std::iter::repeat(said.len()));
    let pieces = case.pieces.into_iter().cycle().map(usize::from);
    assert_eq!(replies(&said, pieces), whole);
    if said.len() <= MOST {
        assert_ne!(whole.1, Some(NoReply::TooLong));
    }
    let phases = [
        Phase::Connect,
        Phase::Encrypt,
        Phase::Login,
        Phase::Sender,
        Phase::Recipient,
        Phase::Message,
        Phase::Answer,
    ];
    let phase = phases[usize::from(case.phase) % phases.len()];
    let all = [Before::Nothing, Before::SameToTwoOthers, Before::OthersTaken];
    let before = all[usize::from(case.before) % all.len()];
    for reply in whole.0 {
        assert!((100..600).contains(&reply.code()));
        let shown = reply.to_string();
        assert!(shown.chars().count() <= 450 && !shown.chars().any(char::is_control), "{shown:?}");
        assert!(reply.resembles(&reply));
        let problem = Problem { phase, fault: Fault::Refused(reply) };
        let shown = problem.to_string();
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        assert_eq!(whose(&problem, before), whose(&problem.clone(), before));
    }
});
