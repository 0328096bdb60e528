//! Two small flows as values: a bank in English, a parcel carrier in Mandarin.

use std::collections::BTreeMap;
use std::sync::Arc;

use frontdesk::dialog::Language;
use frontdesk::dialog::flow::*;

pub fn en(words: &str) -> Text {
    text("en", words)
}

pub fn text(language: &str, words: &str) -> Text {
    Text { texts: [(Language::new(language), words.to_owned())].into(), recordings: BTreeMap::new() }
}

pub fn label(language: &str, words: &str) -> BTreeMap<Language, String> {
    [(Language::new(language), words.to_owned())].into()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

fn option(key: char, intent: Option<&str>, phrases: &[&str], next: &str) -> MenuOption {
    MenuOption {
        key: Some(key),
        intent: intent.map(str::to_owned),
        phrases: phrases.iter().map(|phrase| (*phrase).to_owned()).collect(),
        next: next.to_owned(),
    }
}

fn intent(language: &str, name: &str, words: &str, examples: &[&str]) -> (String, Intent) {
    let examples = examples.iter().map(|example| (*example).to_owned()).collect();
    (name.to_owned(), Intent { label: label(language, words), examples })
}

pub fn weekdays(zone: &str, from: u16, to: u16) -> Hours {
    let mut week: [Vec<(u16, u16)>; 7] = Default::default();
    for day in week.iter_mut().take(5) {
        day.push((from * 60, to * 60));
    }
    Hours { zone: zone.parse().unwrap(), week, closed: Vec::new() }
}

/// Greeting, menu (balance, lost card, opening hours, complaint), account number read back, PIN, backend.
pub fn bank() -> Flow {
    let say = |words: &str, next: &str| Step::Say { say: en(words), next: next.into() };
    let steps = [
        ("hours", Step::Hours { hours: "bank".into(), open: "greeting".into(), closed: "closed".into() }),
        (
            "closed",
            Step::Message(Message {
                queue: "service".into(),
                say: Some(en("The bank is closed. Say what it is about, and we will call you on a weekday.")),
                next: None,
            }),
        ),
        ("greeting", say("Welcome to Harbour Bank.", "menu")),
        (
            "menu",
            Step::Menu {
                again: None,
                short: None,
                prompt: en(
                    "What can I do for you? You can ask for your balance, report a lost card, or ask about opening hours.",
                ),
                options: vec![
                    option('1', Some("balance"), &["balance", "account balance"], "account"),
                    option('2', Some("lost_card"), &["lost card", "stolen card"], "card"),
                    option('3', None, &["opening hours"], "opening"),
                    option('4', Some("complaint"), &["complaint"], "complain"),
                ],
            },
        ),
        ("opening", say("We are open Monday to Friday, nine to five.", "menu")),
        (
            "account",
            Step::Ask(Ask {
                prompt: en("What is your account number?"),
                again: None,
                slot: "account".into(),
                kind: SlotKind::Digits { min: 6, max: 6 },
                confirm: Some(en("I heard {account:code}. Is that right?")),
                secret: false,
                label: label("en", "account number"),
                next: "pin".into(),
            }),
        ),
        (
            "pin",
            Step::Ask(Ask {
                prompt: en("Please key in your PIN."),
                again: None,
                slot: "pin".into(),
                kind: SlotKind::Digits { min: 4, max: 6 },
                confirm: None,
                secret: true,
                label: label("en", "PIN"),
                next: "balance".into(),
            }),
        ),
        (
            "balance",
            Step::Fetch(Fetch {
                backend: "accounts".into(),
                with: map(&[("account", "{account}"), ("pin", "{pin}")]),
                save: map(&[("balance", "/balance")]),
                wait: Some(en("Let me look that up.")),
                verifies: Some("account".into()),
                label: label("en", "balance look-up"),
                next: "told".into(),
                refused: None,
                attempts: None,
                not_found: "unknown_account".into(),
                failed: "backend_down".into(),
            }),
        ),
        ("told", say("Your balance is {balance:money}.", "menu")),
        ("unknown_account", say("I could not find that account with that PIN.", "menu")),
        ("backend_down", Step::Transfer(transfer("service", &[]))),
        (
            "card",
            Step::Ask(Ask {
                prompt: en("Shall I block your card now?"),
                again: None,
                slot: "block".into(),
                kind: SlotKind::YesNo,
                confirm: None,
                secret: false,
                label: label("en", "block the card"),
                next: "decide".into(),
            }),
        ),
        (
            "decide",
            Step::Decide {
                branches: vec![Branch {
                    when: Condition::Value { variable: "block".into(), test: Test::Is("yes".into()) },
                    next: "fraud".into(),
                }],
                otherwise: "menu".into(),
            },
        ),
        ("fraud", Step::Transfer(Transfer { priority: 5, ..transfer("cards", &["fraud"]) })),
        (
            "complain",
            Step::Ask(Ask {
                prompt: en("What happened?"),
                again: None,
                slot: "complaint".into(),
                kind: SlotKind::Free,
                confirm: None,
                secret: false,
                label: label("en", "complaint"),
                next: "service".into(),
            }),
        ),
        ("service", Step::Transfer(transfer("service", &[]))),
    ];
    Flow {
        name: "bank".into(),
        language: Language::new("en"),
        start: "hours".into(),
        steps: steps.into_iter().map(|(name, step)| (name.to_owned(), step)).collect(),
        intents: [
            intent("en", "balance", "balance enquiry", &["how much money is in my account"]),
            intent("en", "lost_card", "lost card", &["somebody stole my wallet"]),
            intent("en", "complaint", "complaint", &["I am not happy with you"]),
        ]
        .into(),
        hours: [("bank".to_owned(), weekdays("Europe/London", 9, 17))].into(),
        person: transfer("service", &[]),
        lines: FlowTexts::default(),
        attempts: 2,
        silence_ms: 6_000,
        swearing: true,
        recorded: false,
        types: Default::default(),
        emotion: None,
        detect_language: false,
        knowledge: None,
        commands: Default::default(),
        personal: Default::default(),
        desk_steps: Default::default(),
        people: None,
        instead: Default::default(),
    }
}

/// The bank, with a PIN that is asked for the agent.
pub fn bank_with_pin() -> Flow {
    let mut flow = bank();
    let pin = Ask {
        prompt: en("Please key in your card's PIN."),
        again: None,
        slot: "card_pin".into(),
        kind: SlotKind::Digits { min: 4, max: 4 },
        confirm: None,
        secret: true,
        label: label("en", "PIN of the card"),
        next: "(desk)/pin/thanks".into(),
    };
    let thanks = Step::Say { say: en("Thank you."), next: DESK_RETURN.into() };
    flow.steps.extend([
        ("(desk)/pin/ask".to_owned(), Step::Ask(pin)),
        ("(desk)/pin/thanks".to_owned(), thanks),
        (DESK_RETURN.to_owned(), Step::Transfer(flow.person.clone())),
    ]);
    flow.desk_steps.insert("pin".into(), "(desk)/pin/ask".into());
    flow
}

pub fn transfer(queue: &str, skills: &[&str]) -> Transfer {
    Transfer {
        queue: queue.into(),
        skills: skills.iter().map(|skill| (*skill).to_owned()).collect(),
        priority: 0,
        say: None,
    }
}

/// Greeting, menu (where is my parcel, change of address, prices), parcel number, backend.
pub fn parcel() -> Flow {
    let zh = |words: &str| text("zh", words);
    let say = |words: &str, next: &str| Step::Say { say: zh(words), next: next.into() };
    let steps = [
        ("greeting", say("您好，这里是飞燕快递。", "menu")),
        (
            "menu",
            Step::Menu {
                again: None,
                short: None,
                prompt: zh("请问有什么可以帮您？您可以说查包裹、改地址或者问价格。"),
                options: vec![
                    option('1', Some("status"), &["查包裹", "查快递"], "number"),
                    option('2', Some("address"), &["改地址"], "address"),
                    option('3', None, &["价格"], "price"),
                ],
            },
        ),
        ("price", say("首重一公斤十二元，续重每公斤五元。", "menu")),
        (
            "number",
            Step::Ask(Ask {
                prompt: zh("请说出您的单号。"),
                again: None,
                slot: "number".into(),
                kind: SlotKind::Digits { min: 8, max: 8 },
                confirm: Some(zh("单号是{number:code}，对吗？")),
                secret: false,
                label: label("zh", "单号"),
                next: "status".into(),
            }),
        ),
        (
            "status",
            Step::Fetch(Fetch {
                backend: "parcels".into(),
                with: map(&[("number", "{number}")]),
                save: map(&[("status", "/status"), ("date", "/date")]),
                wait: None,
                verifies: Some("number".into()),
                label: label("zh", "包裹查询"),
                next: "told".into(),
                refused: None,
                attempts: None,
                not_found: "unknown".into(),
                failed: "down".into(),
            }),
        ),
        ("told", say("您的包裹{status}，预计{date:date}送达。", "more")),
        (
            "more",
            Step::Ask(Ask {
                prompt: zh("还有别的需要吗？"),
                again: None,
                slot: "more".into(),
                kind: SlotKind::YesNo,
                confirm: None,
                secret: false,
                label: label("zh", "还有需要"),
                next: "decide".into(),
            }),
        ),
        (
            "decide",
            Step::Decide {
                branches: vec![Branch {
                    when: Condition::Value { variable: "more".into(), test: Test::Is("yes".into()) },
                    next: "menu".into(),
                }],
                otherwise: "bye".into(),
            },
        ),
        ("bye", Step::HangUp { say: zh("感谢来电，再见。") }),
        ("unknown", say("没有找到这个单号。", "menu")),
        ("down", Step::Transfer(transfer("parcels", &[]))),
        (
            "address",
            Step::Ask(Ask {
                prompt: zh("请说出新地址。"),
                again: None,
                slot: "address".into(),
                kind: SlotKind::Free,
                confirm: None,
                secret: false,
                label: label("zh", "新地址"),
                next: "person".into(),
            }),
        ),
        ("person", Step::Transfer(transfer("parcels", &[]))),
    ];
    Flow {
        name: "parcel".into(),
        language: Language::new("zh"),
        start: "greeting".into(),
        steps: steps.into_iter().map(|(name, step)| (name.to_owned(), step)).collect(),
        intents: [
            intent("zh", "status", "查询包裹", &["我的快递到哪了"]),
            intent("zh", "address", "修改地址", &["我搬家了"]),
        ]
        .into(),
        hours: BTreeMap::new(),
        person: transfer("parcels", &[]),
        lines: FlowTexts::default(),
        attempts: 2,
        silence_ms: 6_000,
        swearing: true,
        recorded: false,
        types: Default::default(),
        emotion: None,
        detect_language: false,
        knowledge: None,
        commands: Default::default(),
        personal: Default::default(),
        desk_steps: Default::default(),
        people: None,
        instead: Default::default(),
    }
}

pub fn shared(flow: Flow) -> Arc<Flow> {
    Arc::new(flow)
}

fn listed(values: &[(&str, &[&str])]) -> Vec<ListValue> {
    let value = |(value, also): &(&str, &[&str])| ListValue {
        value: (*value).to_owned(),
        say: BTreeMap::new(),
        also: also.iter().map(|word| (*word).to_owned()).collect(),
    };
    values.iter().map(value).collect()
}

fn field(slot: &str, kind: SlotKind, ask: Option<&str>) -> FormSlot {
    FormSlot { slot: slot.into(), kind, ask: ask.map(en), again: None, label: label("en", &slot.replace('_', " ")) }
}

/// A coffee house: one order with five slots, a table for some day, a story.
pub fn cafe() -> Flow {
    let one = |values: &[(&str, &[&str])]| SlotKind::List { values: listed(values), many: false };
    let order = Form {
        prompt: en("What would you like?"),
        again: None,
        slots: vec![
            field(
                "size",
                one(&[
                    ("twelve ounce", &["small", "小杯"]),
                    ("sixteen ounce", &["medium", "中杯"]),
                    ("twenty ounce", &["large", "big", "大杯"]),
                ]),
                Some("What size?"),
            ),
            field(
                "drink",
                one(&[
                    ("latte", &["拿铁"]),
                    ("cappuccino", &["卡布奇诺"]),
                    ("iced mocha", &["mocha", "冰摩卡"]),
                    ("drip coffee", &["coffee"]),
                    ("americano", &["美式"]),
                    ("hot chocolate", &[]),
                    ("chai tea", &["chai"]),
                ]),
                Some("Which drink?"),
            ),
            field(
                "roast",
                one(&[("light roast", &[]), ("medium roast", &[]), ("dark roast", &[])]),
                Some("Which roast?"),
            ),
            field(
                "extras",
                SlotKind::List {
                    values: listed(&[
                        ("oat milk", &["燕麦奶"]),
                        ("vanilla syrup", &["vanilla", "香草"]),
                        ("caramel", &["焦糖"]),
                        ("whipped cream", &["cream"]),
                        ("extra shot", &[]),
                        ("cinnamon", &[]),
                    ]),
                    many: true,
                },
                Some("Anything extra?"),
            ),
            field("count", SlotKind::Number { min: Some(1.0), max: Some(60.0) }, None),
        ],
        confirm: None,
        next: "told".into(),
    };
    let table = Form {
        prompt: en("When would you like to come?"),
        again: None,
        slots: vec![
            field("day", SlotKind::Date { past: false }, Some("On which day?")),
            field("hour", SlotKind::Time, Some("At what time?")),
            field("phone", SlotKind::Phone, Some("What is your telephone number?")),
        ],
        confirm: Some(en("{day:date} at {hour:time}, your number is {phone:phone}. Is that right?")),
        next: "booked".into(),
    };
    let steps = [
        (
            "menu",
            Step::Menu {
                again: None,
                short: None,
                prompt: en("An order, or a table?"),
                options: vec![
                    option('1', Some("order"), &["order", "coffee"], "order"),
                    option('2', Some("table"), &["table"], "table"),
                    option('3', None, &["refund"], "amount"),
                ],
            },
        ),
        ("order", Step::Form(order)),
        ("told", Step::Say { say: en("A {size} {drink}, {roast}, {extras}."), next: "menu".into() }),
        ("table", Step::Form(table)),
        ("booked", Step::HangUp { say: en("See you then.") }),
        (
            "amount",
            Step::Ask(Ask {
                prompt: en("How much did you pay?"),
                again: None,
                slot: "amount".into(),
                kind: SlotKind::Money { currency: "USD".into() },
                confirm: None,
                secret: false,
                label: label("en", "amount"),
                next: "whom".into(),
            }),
        ),
        (
            "whom",
            Step::Ask(Ask {
                prompt: en("Who served you?"),
                again: None,
                slot: "whom".into(),
                kind: SlotKind::Name {
                    names: listed(&[("Anna Lindqvist", &[]), ("Ben Okafor", &[]), ("Ben Wright", &[])]),
                },
                confirm: None,
                secret: false,
                label: label("en", "served by"),
                next: "sorry".into(),
            }),
        ),
        ("sorry", Step::HangUp { say: en("{amount:money}, and {whom}. You will have it back.") }),
    ];
    Flow {
        name: "cafe".into(),
        start: "menu".into(),
        steps: steps.into_iter().map(|(name, step)| (name.to_owned(), step)).collect(),
        intents: [
            intent("en", "order", "order", &["I would like a coffee"]),
            intent("en", "table", "table", &["can I book a table"]),
        ]
        .into(),
        hours: BTreeMap::new(),
        ..bank()
    }
}
