//! Nobody waits longer because others ask more.

use super::*;

/// What a flooder asks for, over and over.
const FLOODS: [(Kind, &str); 5] = [
    (Kind::READ, "data|"),
    (Kind::WRITE, "data|value"),
    (Kind::GET_DOMAIN_PATH, "5|"),
    (Kind::TRANSACTION_START, "|"),
    (Kind::DIRECTORY, "|"),
];

/// Steps until the victim's request is answered, with `flooders` whose rings are never empty nor ever full.
fn steps_until_answered(flooders: u16, flood: (Kind, &str)) -> usize {
    let mut world = World::new();
    let mut others: Vec<_> = (10..10 + flooders).map(|domid| (domid, world.introduce(domid))).collect();
    let mut victim = world.introduce(5);
    let mut steps = 0;
    let mut answered_at = None;
    let mut served = 0;
    while steps < 4 * usize::from(flooders) + 200 {
        for (domid, guest) in &mut others {
            served += guest.all().len();
            while guest.output.is_empty() {
                guest.post(flood.0, 0, flood.1);
            }
            guest.push();
            world.signal(*domid);
        }
        if steps == 100 {
            victim.post(Kind::WRITE, 0, "data|1");
            world.signal(5);
        }
        world.service.step(&world.machine);
        steps += 1;
        if answered_at.is_none() && !victim.all().is_empty() {
            answered_at = Some(steps);
        }
    }
    assert!(served > steps / 2, "the flood was a flood: {served} answers in {steps} steps");
    answered_at.expect("an answer") - 100
}

#[test]
fn attack_a22_a_request_waits_one_round_whatever_the_others_ask() {
    for flood in FLOODS {
        for flooders in [1, 2, 8, 40] {
            let steps = steps_until_answered(flooders, flood);
            assert!(steps <= usize::from(flooders) + 1, "{flood:?} by {flooders}: {steps} steps");
        }
    }
}

#[test]
fn attack_a22_every_flooder_gets_its_share() {
    let mut world = World::new();
    let mut guests: Vec<_> = (10..15).map(|domid| (domid, world.introduce(domid), 0)).collect();
    for _ in 0..1000 {
        for (domid, guest, answers) in &mut guests {
            *answers += guest.all().len();
            while guest.output.is_empty() {
                guest.post(Kind::READ, 0, "data|");
            }
            guest.push();
            world.signal(*domid);
        }
        world.service.step(&world.machine);
    }
    let shares: Vec<_> = guests.iter().map(|(_, _, answers)| *answers).collect();
    assert!(shares.iter().all(|share| (195..=200).contains(share)), "{shares:?}");
}
