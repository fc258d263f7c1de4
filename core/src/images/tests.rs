//! The image store against a model that keeps names and sizes.

use alloc::collections::VecDeque;
use alloc::vec;

use proptest::prelude::*;

use super::*;

const LIMIT: usize = 1000;

/// An image of its own kind: `size` times the byte `n`.
fn file(n: u8, size: usize) -> Vec<u8> {
    vec![n; size]
}

fn receive(images: &mut Images, bytes: &[u8]) -> Result<Image, BeginError> {
    let mut receiving = images.begin(Digest::of(bytes), bytes.len())?;
    for piece in bytes.chunks(97) {
        assert_eq!(receiving.append(piece), Ok(piece.len()));
    }
    Ok(receiving.finish(images).unwrap())
}

#[test]
fn an_image_is_found_by_its_digest() {
    let mut images = Images::new(LIMIT);
    let bytes = file(7, 300);
    assert!(images.get(&Digest::of(&bytes)).is_none());
    let image = receive(&mut images, &bytes).unwrap();
    assert_eq!((image.as_ref(), image.source()), (&bytes[..], Source::Received(Digest::of(&bytes))));
    assert!(core::ptr::eq(images.get(&Digest::of(&bytes)).unwrap().as_ref(), image.as_ref()), "not a copy");
    assert_eq!(images.total(), 300);
}

#[test]
fn the_digest_is_blake3() {
    // The first 32 bytes of the first of the test vectors that are published with BLAKE3.
    let empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
    assert_eq!(alloc::format!("{}", Digest::of(b"")), empty);
}

#[test]
fn what_is_not_as_announced_is_not_kept() {
    let mut images = Images::new(LIMIT);
    let digest = Digest::of(&file(1, 100));

    let mut receiving = images.begin(digest, 100).unwrap();
    receiving.append(&file(1, 99)).unwrap();
    assert_eq!(receiving.append(&file(1, 2)), Err(TooLong));
    assert_eq!(receiving.finish(&mut images).unwrap_err(), FinishError::TooShort { missing: 1 });

    let mut receiving = images.begin(digest, 100).unwrap();
    receiving.append(&file(2, 100)).unwrap();
    let found = Digest::of(&file(2, 100));
    assert_eq!(receiving.finish(&mut images).unwrap_err(), FinishError::Mismatch { found });

    assert!(images.get(&digest).is_none() && images.get(&found).is_none());
    assert_eq!(images.total(), 0);
}

#[test]
fn one_call_takes_a_bounded_piece() {
    let mut images = Images::new(1 << 20);
    let bytes: Vec<u8> = (0..=250).cycle().take(50_000).collect();
    let mut receiving = images.begin(Digest::of(&bytes), bytes.len()).unwrap();
    let mut at = 0;
    while receiving.missing() > 0 {
        let taken = receiving.append(&bytes[at..]).unwrap();
        assert!(taken > 0 && taken <= STEP);
        at += taken;
    }
    assert_eq!(receiving.finish(&mut images).unwrap().as_ref(), bytes);
}

#[test]
fn what_is_given_up_midway_is_freed() {
    let mut images = Images::new(LIMIT);
    let mut receiving = images.begin(Digest::of(b""), LIMIT).unwrap();
    receiving.append(&file(1, 500)).unwrap();
    assert_eq!(images.begin(Digest::of(b"x"), 1).unwrap_err(), BeginError::Full { room: 0 });
    drop(receiving);
    assert_eq!(images.total(), 0);
    receive(&mut images, &file(2, LIMIT)).unwrap();
}

#[test]
fn what_is_in_use_stays_and_the_least_recently_used_goes() {
    let mut images = Images::new(LIMIT);
    let used = receive(&mut images, &file(1, 400)).unwrap();
    receive(&mut images, &file(2, 200)).unwrap();
    receive(&mut images, &file(3, 200)).unwrap();
    assert!(images.get(&Digest::of(&file(2, 200))).is_some(), "and is the last used now");
    receive(&mut images, &file(4, 400)).unwrap();
    let mut is_here = |n, size| images.get(&Digest::of(&file(n, size))).is_some();
    assert_eq!(
        [is_here(1, 400), is_here(2, 200), is_here(3, 200), is_here(4, 400)],
        [true, true, false, true]
    );
    assert_eq!(images.begin(Digest::of(b""), 601).unwrap_err(), BeginError::Full { room: 600 });
    assert!(images.get(&Digest::of(&file(4, 400))).is_some(), "nothing goes for what does not fit anyway");
    assert_eq!(images.begin(Digest::of(b""), 1001).unwrap_err(), BeginError::TooBig { limit: LIMIT });
    drop(used);
    receive(&mut images, &file(5, 1000)).unwrap();
}

#[test]
fn an_image_that_two_send_is_there_once() {
    let mut images = Images::new(LIMIT);
    let bytes = file(9, 100);
    let mut first = images.begin(Digest::of(&bytes), 100).unwrap();
    let mut second = images.begin(Digest::of(&bytes), 100).unwrap();
    first.append(&bytes).unwrap();
    second.append(&bytes).unwrap();
    let first = first.finish(&mut images).unwrap();
    let second = second.finish(&mut images).unwrap();
    assert!(core::ptr::eq(first.as_ref(), second.as_ref()));
    assert_eq!(images.total(), 100);
}

#[test]
fn an_unpacked_kernel_is_found_by_what_it_was_unpacked_from() {
    let mut images = Images::new(LIMIT);
    let place = Source::Place { address: 4096, len: 10 };
    let kernel = images.keep_unpacked(place, file(1, 300));
    assert!(core::ptr::eq(images.unpacked(place).unwrap().as_ref(), kernel.as_ref()));
    assert!(images.unpacked(Source::Place { address: 4096, len: 11 }).is_none());
    assert!(images.unpacked(Source::Received(Digest::of(&file(1, 300)))).is_none());
    assert!(images.get(&Digest::of(&file(1, 300))).is_none(), "it is not a file somebody sent");

    let large = images.keep_unpacked(Source::Received(Digest::of(b"")), file(2, 701));
    assert_eq!(large.as_ref().len(), 701, "what does not fit can be used");
    assert!(images.unpacked(Source::Received(Digest::of(b""))).is_none(), "but is not kept");
    assert_eq!(images.total(), 300);
}

#[test]
fn there_are_never_more_entries_than_can_be_gone_through() {
    let mut images = Images::new(usize::MAX);
    let held: Vec<Image> =
        (0..ENTRIES + 10).map(|n| receive(&mut images, &n.to_le_bytes()).unwrap()).collect();
    assert_eq!(images.kept.len(), ENTRIES);
    assert_eq!(images.total(), (ENTRIES + 10) * size_of::<usize>(), "all that is held counts");
    drop(held);
    assert_eq!(images.total(), ENTRIES * size_of::<usize>());
    receive(&mut images, b"another").unwrap();
    assert!(images.get(&Digest::of(b"another")).is_some());
    assert_eq!(images.kept.len(), ENTRIES);
    assert!(images.shrink(usize::MAX) && !images.shrink(1));
    assert_eq!(images.total(), 0);
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Receive { n: u8, size: usize, hold: bool },
    Get(u8, usize),
    Release(prop::sample::Index),
    Shrink(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let (n, size) = (0..6_u8, prop::sample::select(vec![0_usize, 1, 150, 400, 1000, 1001]));
    prop_oneof![
        4 => (n.clone(), size.clone(), any::<bool>()).prop_map(|(n, size, hold)| Act::Receive { n, size, hold }),
        2 => (n, size).prop_map(|(n, size)| Act::Get(n, size)),
        2 => any::<prop::sample::Index>().prop_map(Act::Release),
        1 => (0..600_usize).prop_map(Act::Shrink),
    ]
}

proptest! {
    /// The model: names in order of use, and which of them are held.
    #[test]
    fn the_budget_holds_and_the_oldest_unused_goes(acts in prop::collection::vec(act(), 0..60)) {
        let mut images = Images::new(LIMIT);
        let mut model: VecDeque<(u8, usize)> = VecDeque::new();
        let mut held: Vec<((u8, usize), Image)> = Vec::new();
        let name = |n: u8, size: usize| (if size == 0 { 0 } else { n }, size);
        for act in acts {
            let is_held = |name: &(u8, usize), held: &[((u8, usize), Image)]| held.iter().any(|(other, _)| other == name);
            match act {
                Act::Receive { n, size, hold } => {
                    let name = name(n, size);
                    let kept: usize = model.iter().filter(|name| is_held(name, &held)).map(|name| name.1).sum();
                    match receive(&mut images, &file(n, size)) {
                        Ok(image) => {
                            prop_assert!(kept + size <= LIMIT);
                            prop_assert_eq!(image.as_ref(), file(n, size));
                            let mut over = (model.iter().map(|name| name.1).sum::<usize>() + size).saturating_sub(LIMIT);
                            model.retain(|name| {
                                let goes = over > 0 && !is_held(name, &held);
                                over = if goes { over.saturating_sub(name.1) } else { over };
                                !goes
                            });
                            model.retain(|other| *other != name);
                            model.push_back(name);
                            if hold {
                                held.push((name, image));
                            }
                        }
                        Err(BeginError::TooBig { .. }) => prop_assert!(size > LIMIT),
                        Err(BeginError::Full { room }) => prop_assert!(room < size && room == LIMIT - kept),
                        Err(BeginError::OutOfMemory) => prop_assert!(false, "there is memory"),
                    }
                }
                Act::Get(n, size) => {
                    let name = name(n, size);
                    let found = images.get(&Digest::of(&file(n, size))).is_some();
                    prop_assert_eq!(found, model.contains(&name));
                    if found {
                        model.retain(|other| *other != name);
                        model.push_back(name);
                    }
                }
                Act::Release(at) if !held.is_empty() => drop(held.swap_remove(at.index(held.len()))),
                Act::Release(_) => {}
                Act::Shrink(bytes) => {
                    let mut freed = 0;
                    model.retain(|name| {
                        let goes = freed < bytes && !is_held(name, &held);
                        freed += if goes { name.1 } else { 0 };
                        !goes
                    });
                    images.shrink(bytes);
                }
            }
            prop_assert_eq!(images.total(), model.iter().map(|name| name.1).sum::<usize>());
            prop_assert!(images.total() <= LIMIT);
        }
    }
}
