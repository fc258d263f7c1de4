//! `xm events` and `xm wait`: what happens, as it happens.

use super::part;

#[test]
fn the_life_of_a_domain_is_told_line_by_line() {
    let part = part("events");
    let id = part.number("id:");
    let told: Vec<&str> = part.text().lines().filter(|line| line.contains(&format!("({id}) "))).collect();
    let wanted = [
        "brief (ID) created",
        "brief (ID) booted",
        "brief (ID) paused",
        "brief (ID) unpaused",
        "short (ID) renamed brief",
        "short (ID) gone",
    ];
    assert_eq!(told, wanted.map(|line| line.replace("ID", &id.to_string())), "{}", part.text());
    assert!(part.text().contains("\"event\":\"created\""), "{}", part.text());
}

#[test]
fn who_waits_goes_on_when_it_has_happened() {
    let part = part("events");
    part.step("xm wait -t 60 brief booted").wrote("");
    let late = "Error: Domain 'brief' is not paused after 1 seconds.";
    part.step("xm wait -t 1 brief paused").failed(1, late);
    part.step("xm wait brief paused").wrote("");
    part.step("xm wait brief crashed").failed(3, "Error: Domain 'brief' does not exist.");
    assert_eq!(part.number("soon:"), 0, "{}", part.text());
    part.step("xm wait -t 60 soon gone").wrote("");
}
