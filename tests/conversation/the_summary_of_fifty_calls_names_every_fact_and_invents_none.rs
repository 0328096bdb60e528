//! Fifty calls without sound, in both languages: each summary holds exactly the facts it must, each fact stands on
//! a timeline entry that says so, and none is invented. What "says so" means is written here a second time, apart
//! from the summary's own code, and tried on summaries that lie.

use crate::script;
use frontdesk::call::*;
use frontdesk::dialog::flow::{Flow, Step};
use script::{SUNDAY, Script, flows};
use serde_json::{Value, json};

fn bank() -> Script {
    let mut call = Script::new(flows::bank());
    call.backends.insert("accounts".into(), Ok(json!({ "balance": "1234.50 GBP" })));
    call
}

fn parcel() -> Script {
    let mut call = Script::new(flows::parcel());
    call.backends.insert("parcels".into(), Ok(json!({ "status": "正在派送", "date": "2026-11-24" })));
    call
}

fn bank_with(reply: Result<Value, BackendFailure>) -> Script {
    let mut call = bank();
    call.backends.insert("accounts".into(), reply);
    call
}

/// The way to the balance.
fn balance(mut call: Script) -> Script {
    call.says("Balance").says("four oh seven one two three").says("yes").keys("9876#").quiet();
    call
}

fn distress(call: &mut Script, distress: f32) {
    call.tell(Event::Emotion(Reading { distress, ..Reading::default() }));
}

fn fails(call: &mut Script, agent: &str, failure: AgentFailure) {
    call.now += 100;
    call.tell(Event::AgentFound { agent: agent.into(), brief: true });
    call.wait(5_000).tell(Event::AgentFailed { agent: agent.into(), failure });
}

/// A call, and the facts its summary must hold besides who called: no more, no fewer.
struct Case {
    name: &'static str,
    call: Script,
    outcome: Outcome,
    facts: &'static [&'static str],
}

fn case(name: &'static str, call: Script, outcome: Outcome, facts: &'static [&'static str]) -> Case {
    Case { name, call, outcome, facts }
}
#[rustfmt::skip]
fn cases() -> Vec<Case> {
    vec![
        {
            let mut c = balance(bank()); c.tell(Event::CallerHungUp);
            case("balance told", c, Outcome::Contained, &["wanted: balance enquiry", "collected: account number: 407123 (confirmed)", "collected: PIN: entered, kept nowhere", "verified: account number, by accounts", "tried: balance look-up: done", "tried: the caller hung up", "last_words: “Balance”"])
        },
        {
            let mut c = balance(bank()); c.says("I want to talk to a person").connect("ann").wait(60_000).tell(Event::CallerHungUp);
            case("balance told, then a person", c, Outcome::HandedOver, &["wanted: balance enquiry", "wanted: to speak to a person", "collected: account number: 407123 (confirmed)", "collected: PIN: entered, kept nowhere", "verified: account number, by accounts", "tried: balance look-up: done", "tried: ann: connected", "tried: the caller hung up", "last_words: “Balance”"])
        },
        {
            let mut c = bank(); c.presses("1407123").presses("1").presses("9876#").quiet().tell(Event::CallerHungUp);
            case("balance by keys", c, Outcome::Contained, &["wanted: balance enquiry", "collected: account number: 407123 (confirmed)", "collected: PIN: entered, kept nowhere", "verified: account number, by accounts", "tried: balance look-up: done", "tried: the caller hung up"])
        },
        {
            let mut c = balance(bank_with(Err(BackendFailure::NotFound))); c.tell(Event::CallerHungUp);
            case("wrong PIN", c, Outcome::Abandoned, &["wanted: balance enquiry", "collected: account number: 407123 (confirmed)", "collected: PIN: entered, kept nowhere", "tried: balance look-up: not found", "tried: the caller hung up", "open: balance enquiry: not settled", "last_words: “Balance”"])
        },
        {
            let mut c = balance(bank_with(Err(BackendFailure::Down))); c.connect("ann").wait(1_000).tell(Event::AgentHungUp).wait(20_000);
            case("backend down", c, Outcome::HandedOver, &["wanted: balance enquiry", "collected: account number: 407123 (confirmed)", "collected: PIN: entered, kept nowhere", "tried: balance look-up: system down", "tried: ann: connected", "open: balance enquiry: not settled", "last_words: “Balance”"])
        },
        {
            let mut c = balance(bank_with(Err(BackendFailure::Timeout))); fails(&mut c, "ann", AgentFailure::Busy); c.tell(Event::NobodyThere).wait(20_000);
            case("backend late, agents busy, nobody there", c, Outcome::Unserved, &["wanted: balance enquiry", "collected: account number: 407123 (confirmed)", "collected: PIN: entered, kept nowhere", "tried: balance look-up: no answer in time", "tried: ann: busy", "tried: nobody was available", "open: balance enquiry: not settled", "last_words: “Balance”"])
        },
        {
            let mut c = balance(bank_with(Ok(json!([])))); c.tell(Event::Waiting { position: 2, estimate_s: None }).wait(30_000).tell(Event::CallerHungUp);
            case("backend talks nonsense, caller leaves the queue", c, Outcome::Abandoned, &["wanted: balance enquiry", "collected: account number: 407123 (confirmed)", "collected: PIN: entered, kept nowhere", "tried: balance look-up: unusable answer", "tried: the caller hung up", "open: balance enquiry: not settled", "last_words: “Balance”"])
        },
        {
            let mut c = bank(); c.says("balance").says("407123").says("no, it's four oh eight one two three").says("yes").keys("9876#").quiet().tell(Event::CallerHungUp);
            case("account corrected", c, Outcome::Contained, &["wanted: balance enquiry", "collected: account number: 408123 (confirmed)", "collected: PIN: entered, kept nowhere", "verified: account number, by accounts", "tried: balance look-up: done", "tried: the caller hung up", "last_words: “balance”"])
        },
        {
            let mut c = bank(); c.says("balance").says("407123").says("no").says("407124").says("no").connect("ann").tell(Event::CallerHungUp);
            case("account denied twice", c, Outcome::HandedOver, &["wanted: balance enquiry", "tried: the bot did not understand the caller", "tried: ann: connected", "tried: the caller hung up", "open: balance enquiry: not settled", "last_words: “balance”"])
        },
        {
            let mut c = bank(); c.says("account balance").says("I have no idea").says("it is somewhere here").connect("bob").tell(Event::CallerHungUp);
            case("account number forgotten", c, Outcome::HandedOver, &["wanted: balance enquiry", "tried: the bot did not understand the caller", "tried: bob: connected", "tried: the caller hung up", "open: balance enquiry: not settled", "last_words: “account balance”"])
        },
        {
            let mut c = bank(); c.says("Lost card!").says("yes").connect("cleo").wait(9_000).tell(Event::AgentHungUp).wait(20_000);
            case("lost card", c, Outcome::HandedOver, &["wanted: lost card", "collected: block the card: yes", "tried: cleo: connected", "open: lost card: not settled", "last_words: “Lost card!”"])
        },
        {
            let mut c = bank(); c.says("lost card").says("no").quiet().tell(Event::CallerHungUp);
            case("lost card, changed their mind", c, Outcome::Abandoned, &["wanted: lost card", "collected: block the card: no", "tried: the caller hung up", "open: lost card: not settled", "last_words: “lost card”"])
        },
        {
            let mut c = bank(); c.intents.insert("somebody nicked my purse on the bus".into(), vec![("lost_card".into(), 0.83)]); c.says("somebody nicked my purse on the bus").says("sure").connect("cleo").tell(Event::CallerHungUp);
            case("lost card in own words", c, Outcome::HandedOver, &["wanted: lost card", "collected: block the card: yes", "tried: cleo: connected", "tried: the caller hung up", "open: lost card: not settled", "last_words: “somebody nicked my purse on the bus”"])
        },
        {
            let mut c = bank(); c.says("opening hours").quiet().tell(Event::CallerHungUp);
            case("opening hours", c, Outcome::Contained, &["wanted: opening hours", "tried: the caller hung up", "last_words: “opening hours”"])
        },
        {
            let mut c = bank(); c.says("opening hours"); let mut c = balance(c); c.tell(Event::CallerHungUp);
            case("opening hours, then the balance", c, Outcome::Contained, &["wanted: opening hours", "wanted: balance enquiry", "collected: account number: 407123 (confirmed)", "collected: PIN: entered, kept nowhere", "verified: account number, by accounts", "tried: balance look-up: done", "tried: the caller hung up", "last_words: “Balance”"])
        },
        {
            let mut c = bank(); c.says("complaint").says("You charged me twice for the same transfer").connect("ann").tell(Event::CallerHungUp);
            case("complaint", c, Outcome::HandedOver, &["wanted: complaint", "collected: complaint: You charged me twice for the same transfer", "tried: ann: connected", "tried: the caller hung up", "open: complaint: not settled", "last_words: “You charged me twice for the same transfer”"])
        },
        {
            let mut c = bank(); distress(&mut c, 0.2); c.says("complaint"); distress(&mut c, 0.9); c.says("This is the third time I call"); distress(&mut c, 0.7); c.connect("ann").tell(Event::CallerHungUp);
            case("complaint, upset", c, Outcome::HandedOver, &["wanted: complaint", "collected: complaint: This is the third time I call", "tried: ann: connected", "tried: the caller hung up", "sounded: upset", "open: complaint: not settled", "last_words: “This is the third time I call”"])
        },
        {
            let mut c = bank(); c.interrupts("agent").connect("ann").tell(Event::CallerHungUp);
            case("a person at once", c, Outcome::HandedOver, &["wanted: to speak to a person", "tried: ann: connected", "tried: the caller hung up", "last_words: “agent”"])
        },
        {
            let mut c = bank(); c.keys("0").tell(Event::NobodyThere).wait(20_000);
            case("key 0, nobody there", c, Outcome::Unserved, &["wanted: to speak to a person", "tried: nobody was available", "open: to speak to a person: not reached"])
        },
        {
            let mut c = bank(); c.wait(60_000);
            case("silent", c, Outcome::Abandoned, &["tried: the caller said nothing"])
        },
        {
            let mut c = bank(); for _ in 0..3 { c.quiet().wait(1_000).tell(Event::SpeechStarted).wait(700).tell(Event::NotHeard); } c.connect("ann").tell(Event::CallerHungUp);
            case("noise", c, Outcome::HandedOver, &["tried: the bot did not understand the caller", "tried: ann: connected", "tried: the caller hung up"])
        },
        {
            let mut c = Script::at(flows::bank(), SUNDAY); c.wait(20_000);
            case("closed", c, Outcome::Unserved, &[])
        },
        {
            let mut c = Script::at(flows::bank(), SUNDAY); c.wait(1_000).tell(Event::CallerHungUp);
            case("closed, hangs up at once", c, Outcome::Abandoned, &["tried: the caller hung up"])
        },
        {
            let mut c = bank(); c.wait(500).tell(Event::CallerHungUp);
            case("hangs up in the greeting", c, Outcome::Abandoned, &["tried: the caller hung up"])
        },
        {
            let mut c = bank(); c.says("balance").says("407123").says("yes").keys("98").tell(Event::CallerHungUp);
            case("hangs up at the PIN", c, Outcome::Abandoned, &["wanted: balance enquiry", "collected: account number: 407123 (confirmed)", "tried: the caller hung up", "open: balance enquiry: not settled", "last_words: “balance”"])
        },
        {
            let mut c = bank(); c.says("can I speak to someone about the mortgage on my second house").connect("dan").tell(Event::CallerHungUp);
            case("a long wish for a person", c, Outcome::HandedOver, &["wanted: to speak to a person", "tried: dan: connected", "tried: the caller hung up", "last_words: “can I speak to someone about the mortgage on my second house”"])
        },
        {
            let mut c = bank(); c.quiet().tell(Event::SpeechUnavailable).keys("1").keys("407123").keys("1").keys("9876#").quiet().tell(Event::CallerHungUp);
            case("no speech, keys", c, Outcome::Contained, &["wanted: balance enquiry", "collected: account number: 407123 (confirmed)", "collected: PIN: entered, kept nowhere", "verified: account number, by accounts", "tried: speech was not available, keys only", "tried: balance look-up: done", "tried: the caller hung up"])
        },
        {
            let mut c = bank(); c.quiet().tell(Event::SpeechUnavailable).keys("4").connect("ann").tell(Event::CallerHungUp);
            case("no speech, no keys for it", c, Outcome::HandedOver, &["wanted: complaint", "tried: speech was not available, keys only", "tried: ann: connected", "tried: the caller hung up", "open: complaint: not settled"])
        },
        {
            let mut c = bank(); c.says("balance").quiet().tell(Event::Drain { within_ms: 90_000 }).connect("ann").wait(9_000).tell(Event::CallerHungUp);
            case("shutdown, put through", c, Outcome::HandedOver, &["wanted: balance enquiry", "tried: a person was sought because of maintenance", "tried: ann: connected", "tried: the caller hung up", "open: balance enquiry: not settled", "last_words: “balance”"])
        },
        {
            let mut c = bank(); c.quiet().tell(Event::Drain { within_ms: 60_000 }).wait(60_000);
            case("shutdown, nobody free", c, Outcome::Unserved, &["tried: a person was sought because of maintenance", "tried: ended for maintenance"])
        },
        {
            let mut c = bank(); c.says("balance").quiet().tell(Event::MediaLost);
            case("line lost", c, Outcome::Abandoned, &["wanted: balance enquiry", "tried: the line was lost", "open: balance enquiry: not settled", "last_words: “balance”"])
        },
        {
            let mut c = bank(); c.says("complaint").says("my statement is wrong"); fails(&mut c, "ann", AgentFailure::NoAnswer); c.connect("bob").tell(Event::CallerHungUp);
            case("first agent does not answer", c, Outcome::HandedOver, &["wanted: complaint", "collected: complaint: my statement is wrong", "tried: ann: no answer", "tried: bob: connected", "tried: the caller hung up", "open: complaint: not settled", "last_words: “my statement is wrong”"])
        },
        {
            let mut c = bank(); c.says("operator").tell(Event::AgentFound { agent: "ann".into(), brief: true }).tell(Event::AgentAnswered).wait(900).tell(Event::AgentHungUp).wait(9_000).tell(Event::WaitOver).says("no thanks").wait(20_000);
            case("agent leaves early, long wait, enough", c, Outcome::Unserved, &["wanted: to speak to a person", "tried: ann: hung up before the caller was put through", "tried: nobody was available", "open: to speak to a person: not reached", "last_words: “operator”"])
        },
        {
            let mut c = bank(); c.says("lost card").says("yes").tell(Event::WaitOver).says("yes").connect("cleo").tell(Event::CallerHungUp);
            case("long wait, tries on", c, Outcome::HandedOver, &["wanted: lost card", "collected: block the card: yes", "tried: cleo: connected", "tried: the caller hung up", "open: lost card: not settled", "last_words: “lost card”"])
        },
        {
            let caller = Caller { line: "main".into(), ..Caller::default() }; let mut c = Script::from(flows::bank(), script::MONDAY, caller); c.says("opening hours").quiet().tell(Event::CallerHungUp);
            case("number withheld", c, Outcome::Contained, &["wanted: opening hours", "tried: the caller hung up", "last_words: “opening hours”"])
        },
        {
            let mut c = bank(); c.says("balance"); distress(&mut c, 0.1); c.quiet().tell(Event::CallerHungUp);
            case("calm", c, Outcome::Abandoned, &["wanted: balance enquiry", "tried: the caller hung up", "sounded: calm", "open: balance enquiry: not settled", "last_words: “balance”"])
        },
        {
            let mut c = balance(bank()); c.says("and I have a lost card").says("yes").connect("cleo").tell(Event::CallerHungUp);
            case("balance, then a lost card", c, Outcome::HandedOver, &["wanted: balance enquiry", "wanted: lost card", "collected: account number: 407123 (confirmed)", "collected: PIN: entered, kept nowhere", "collected: block the card: yes", "verified: account number, by accounts", "tried: balance look-up: done", "tried: cleo: connected", "tried: the caller hung up", "open: lost card: not settled", "last_words: “and I have a lost card”"])
        },
        {
            let mut c = bank(); c.says("purple elephants").says("the elephants are purple").connect("ann").tell(Event::CallerHungUp);
            case("never understood", c, Outcome::HandedOver, &["tried: the bot did not understand the caller", "tried: ann: connected", "tried: the caller hung up", "last_words: “the elephants are purple”"])
        },
        {
            let mut c = bank(); c.says("complaint").says("nobody ever calls back"); c.tell(Event::AgentFound { agent: "ann".into(), brief: true }).wait(3_000).tell(Event::CallerHungUp);
            case("hangs up while it rings", c, Outcome::Abandoned, &["wanted: complaint", "collected: complaint: nobody ever calls back", "tried: the caller hung up", "open: complaint: not settled", "last_words: “nobody ever calls back”"])
        },
        {
            let mut c = bank(); c.says("agent"); fails(&mut c, "ann", AgentFailure::Declined); fails(&mut c, "bob", AgentFailure::Unreachable); c.connect("cleo").wait(9_000).tell(Event::AgentHungUp).wait(20_000);
            case("declined, unreachable, answered", c, Outcome::HandedOver, &["wanted: to speak to a person", "tried: ann: declined", "tried: bob: unreachable", "tried: cleo: connected", "last_words: “agent”"])
        },
        {
            let mut c = parcel(); c.says("查包裹").says("幺二三四五六七八").says("对").quiet().says("没有了").wait(20_000);
            case("包裹查到", c, Outcome::Contained, &["wanted: 查询包裹", "collected: 单号：12345678（已确认）", "collected: 还有需要：否", "verified: 单号，由parcels核实", "tried: 包裹查询：已完成", "last_words: “查包裹”"])
        },
        {
            let mut c = parcel(); c.says("查快递").says("12345678").says("是的").quiet().says("有的").quiet(); c.says("价格").quiet().tell(Event::CallerHungUp);
            case("包裹查到，再问价格", c, Outcome::Contained, &["wanted: 查询包裹", "wanted: 价格", "collected: 单号：12345678（已确认）", "collected: 还有需要：是", "verified: 单号，由parcels核实", "tried: 包裹查询：已完成", "tried: 客户挂断", "last_words: “价格”"])
        },
        {
            let mut c = parcel(); c.says("查包裹").says("一二三四五六七八").says("不对，是一二三四五六七九").says("对的").quiet().says("没有").wait(20_000);
            case("单号说错了", c, Outcome::Contained, &["wanted: 查询包裹", "collected: 单号：12345679（已确认）", "collected: 还有需要：否", "verified: 单号，由parcels核实", "tried: 包裹查询：已完成", "last_words: “查包裹”"])
        },
        {
            let mut c = parcel(); c.backends.insert("parcels".into(), Err(BackendFailure::NotFound)); c.says("查包裹").says("87654321").says("对").quiet().says("转人工").connect("小李").tell(Event::CallerHungUp);
            case("查无此单，转人工", c, Outcome::HandedOver, &["wanted: 查询包裹", "wanted: 要求人工服务", "collected: 单号：87654321（已确认）", "tried: 包裹查询：查无记录", "tried: 小李：已接通", "tried: 客户挂断", "open: 查询包裹：未解决", "last_words: “查包裹”"])
        },
        {
            let mut c = parcel(); c.backends.insert("parcels".into(), Err(BackendFailure::Down)); c.says("查包裹").says("87654321").says("没错").quiet().connect("小李").tell(Event::CallerHungUp);
            case("系统故障", c, Outcome::HandedOver, &["wanted: 查询包裹", "collected: 单号：87654321（已确认）", "tried: 包裹查询：系统故障", "tried: 小李：已接通", "tried: 客户挂断", "open: 查询包裹：未解决", "last_words: “查包裹”"])
        },
        {
            let mut c = parcel(); c.says("改地址").says("上海市南京路一百号").connect("小王").tell(Event::CallerHungUp);
            case("改地址", c, Outcome::HandedOver, &["wanted: 修改地址", "collected: 新地址：上海市南京路一百号", "tried: 小王：已接通", "tried: 客户挂断", "open: 修改地址：未解决", "last_words: “上海市南京路一百号”"])
        },
        {
            let mut c = parcel(); c.interrupts("人工").tell(Event::NobodyThere).wait(20_000);
            case("直接人工，没人", c, Outcome::Unserved, &["wanted: 要求人工服务", "tried: 没有客服在线", "open: 要求人工服务：未接通", "last_words: “人工”"])
        },
        {
            let mut c = parcel(); c.wait(60_000);
            case("不说话", c, Outcome::Abandoned, &["tried: 客户没有说话"])
        },
        {
            let mut c = parcel(); c.presses("1").quiet().presses("12345678").presses("1").quiet().presses("2").wait(20_000);
            case("只按键", c, Outcome::Contained, &["wanted: 查询包裹", "collected: 单号：12345678（已确认）", "collected: 还有需要：否", "verified: 单号，由parcels核实", "tried: 包裹查询：已完成"])
        },
        {
            let mut c = parcel(); c.intents.insert("我的东西到底到哪里了".into(), vec![("status".into(), 0.9), ("address".into(), 0.02)]); c.says("我的东西到底到哪里了"); distress(&mut c, 0.85); c.says("12345678").says("对").quiet().says("我要找接线员").connect("小李").tell(Event::CallerHungUp);
            case("换个说法，情绪激动", c, Outcome::HandedOver, &["wanted: 查询包裹", "wanted: 要求人工服务", "collected: 单号：12345678（已确认）", "verified: 单号，由parcels核实", "tried: 包裹查询：已完成", "tried: 小李：已接通", "tried: 客户挂断", "sounded: 情绪激动", "last_words: “我的东西到底到哪里了”"])
        },
        {
            let mut c = parcel(); c.says("查包裹").says("幺二三四五六七八").tell(Event::CallerHungUp);
            case("说单号时挂断", c, Outcome::Abandoned, &["wanted: 查询包裹", "collected: 单号：12345678（未确认）", "tried: 客户挂断", "open: 查询包裹：未解决", "last_words: “查包裹”"])
        },
        {
            let mut c = parcel(); c.says("价格").quiet().tell(Event::CallerHungUp);
            case("问价格", c, Outcome::Contained, &["wanted: 价格", "tried: 客户挂断", "last_words: “价格”"])
        },
        {
            let mut c = parcel(); c.says("我要转人工"); fails(&mut c, "小李", AgentFailure::Busy); c.wait(9_000).tell(Event::CallerHungUp);
            case("坐席忙，客户挂断", c, Outcome::Abandoned, &["wanted: 要求人工服务", "tried: 小李：忙线", "tried: 客户挂断", "open: 要求人工服务：未接通", "last_words: “我要转人工”"])
        },
    ]
}

#[test]
fn every_fact_is_there_and_no_other() {
    let cases = cases();
    assert!(cases.len() >= 50);
    for case in cases {
        let (summary, _) = case.call.finished().unwrap_or_else(|| panic!("{}: the call goes on", case.name));
        assert_eq!(summary.outcome, Some(case.outcome), "{}", case.name);
        let told: Vec<String> = summary
            .facts
            .iter()
            .filter(|fact| fact.kind != FactKind::Caller)
            .map(|fact| format!("{}: {}", serde_json::to_value(fact.kind).unwrap().as_str().unwrap(), fact.text))
            .collect();
        assert_eq!(told, case.facts, "{}", case.name);
        assert_eq!(summary.facts.iter().filter(|fact| fact.kind == FactKind::Caller).count(), 1, "{}", case.name);
    }
}

#[test]
fn every_fact_stands_on_an_entry_that_says_so() {
    for case in cases() {
        let (summary, _) = case.call.finished().unwrap();
        for fact in &summary.facts {
            supported(&case, fact).unwrap_or_else(|why| panic!("{}: {fact:?}: {why}", case.name));
        }
    }
}

#[test]
fn lies_are_found_out() {
    let mut lies = 0;
    for case in cases() {
        let (summary, _) = case.call.finished().unwrap();
        for fact in &summary.facts {
            for lie in lies_about(fact, case.call.call.timeline().len() as u32) {
                assert!(supported(&case, &lie).is_err(), "{}: {lie:?} was believed", case.name);
                lies += 1;
            }
        }
    }
    assert!(lies > 1_000, "{lies}");
}

#[test]
fn what_an_agent_sees_and_hears_first_is_short_and_holds_no_secret() {
    for case in cases() {
        let (summary, _) = case.call.finished().unwrap();
        assert!(summary.headline().chars().count() <= 60, "{}", summary.headline());
        let ascii = summary.headline_ascii();
        assert!(ascii.len() <= 60 && ascii.is_ascii() && !ascii.is_empty(), "{ascii}");
        let briefing = summary.briefing();
        let text = briefing.text();
        let han = text.chars().filter(|c| ('\u{4E00}'..='\u{9FFF}').contains(c)).count();
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty()).count();
        let seconds = han as f64 / 4.5 + (words + digits) as f64 / 2.5;
        assert!(!text.is_empty() && seconds <= 12.5, "{}: {seconds} s: {text}", case.name);
        let all =
            serde_json::to_string(&(summary, case.call.call.timeline(), &case.call.lines, summary.headline(), text))
                .unwrap();
        assert!(!all.contains("9876"), "{}: the PIN", case.name);
    }
}

/// Everything that could be told wrongly about a fact: another place, another number, another outcome, a bit more.
fn lies_about(fact: &Fact, entries: u32) -> Vec<Fact> {
    let with = |text: String| Fact { text, ..fact.clone() };
    let mut lies = vec![
        Fact { entry: fact.entry + 1, ..fact.clone() },
        Fact { entry: entries + 3, ..fact.clone() },
        with(format!("{} and a dog", fact.text)),
        with(format!("{}。", fact.text)),
        with(String::new()),
    ];
    if fact.entry > 0 {
        lies.push(Fact { entry: fact.entry - 1, ..fact.clone() });
    }
    for (at, digit) in fact.text.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
        let other = if digit == '9' { "0" } else { "9" };
        lies.push(with(format!("{}{other}{}", &fact.text[..at], &fact.text[at + 1..])));
    }
    for (true_word, false_word) in [
        ("done", "not found"),
        ("not found", "done"),
        ("system down", "no answer in time"),
        ("connected", "busy"),
        ("busy", "connected"),
        (" (confirmed)", ""),
        ("yes", "no"),
        ("upset", "calm"),
        ("calm", "upset"),
        ("已完成", "查无记录"),
        ("（已确认）", "（未确认）"),
        ("（未确认）", "（已确认）"),
        ("情绪激动", "情绪平稳"),
        ("balance", "mortgage"),
        ("ann", "bob"),
        ("hung up", "said nothing"),
    ] {
        if fact.text.contains(true_word) {
            lies.push(with(fact.text.replace(true_word, false_word)));
        }
    }
    lies
}

/// Whether the timeline supports a fact. Knows the schema of the timeline and the flow, not how summaries are made.
fn supported(case: &Case, fact: &Fact) -> Result<(), String> {
    let flow: &Flow = &case.call.flow;
    let timeline = serde_json::to_value(case.call.call.timeline()).unwrap();
    let entry = timeline.get(fact.entry as usize).ok_or("no such entry")?;
    let event = entry["event"].as_str().unwrap();
    let is = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let zh = flow.language.as_str() == "zh";
    let colon = if zh { "：" } else { ": " };
    let words = |en: &str, zh_words: &str| if zh { zh_words.to_owned() } else { en.to_owned() };
    let label = |labels: &std::collections::BTreeMap<_, String>| labels[&flow.language].clone();
    let slot_label = |slot: &str| {
        flow.steps.values().find_map(|step| match step {
            Step::Ask(ask) if ask.slot == slot => Some(label(&ask.label)),
            _ => None,
        })
    };
    let wanted = || match event {
        "intent" => flow.intents.get(&is("chosen")).map(|intent| label(&intent.label)),
        "choice" => Some(is("option")),
        "person_wanted" if matches!(is("reason").as_str(), "key 0" | "asked for a person") => {
            Some(words("to speak to a person", "要求人工服务"))
        }
        _ => None,
    };
    let right: Option<String> = match fact.kind {
        FactKind::Caller if event == "arrived" => {
            let number =
                if is("number").is_empty() { words("number withheld", "号码未显示") } else { is("number") };
            let name = if is("name").is_empty() { String::new() } else { format!("{}, ", is("name")) };
            Some(format!("{name}{number}, {}{}", words("line ", "线路"), is("line")))
        }
        FactKind::Wanted => wanted(),
        FactKind::Collected if event == "slot" => {
            let value = match is("value").as_str() {
                "" => return Err("it was taken back".into()),
                "***" => words("entered, kept nowhere", "已输入，未保存"),
                "yes" => words("yes", "是"),
                "no" => words("no", "否"),
                value => value.to_owned(),
            };
            let read_back = flow
                .steps
                .values()
                .any(|step| matches!(step, Step::Ask(ask) if ask.slot == is("slot") && ask.confirm.is_some()));
            let sure = match (entry["confirmed"] == true, read_back) {
                (true, _) => words(" (confirmed)", "（已确认）"),
                (false, true) => words(" (not confirmed)", "（未确认）"),
                _ => String::new(),
            };
            slot_label(&is("slot")).map(|label| format!("{label}{colon}{value}{sure}"))
        }
        FactKind::Verified if event == "reply" && entry["failure"].is_null() => match flow.steps.get(&is("step")) {
            Some(Step::Fetch(fetch)) => {
                let label = fetch.verifies.as_deref().and_then(slot_label).ok_or("verifies nothing")?;
                Some(if zh {
                    format!("{label}，由{}核实", is("backend"))
                } else {
                    format!("{label}, by {}", is("backend"))
                })
            }
            _ => None,
        },
        FactKind::Tried => match event {
            "reply" => match flow.steps.get(&is("step")) {
                Some(Step::Fetch(fetch)) => {
                    let outcome = match entry["failure"].as_str() {
                        None => words("done", "已完成"),
                        Some("not_found") => words("not found", "查无记录"),
                        Some("timeout") => words("no answer in time", "系统超时"),
                        Some("down") => words("system down", "系统故障"),
                        Some("malformed") => words("unusable answer", "系统应答异常"),
                        Some(other) => return Err(other.into()),
                    };
                    Some(format!("{}{colon}{outcome}", label(&fetch.label)))
                }
                _ => None,
            },
            "agent_failed" => {
                let outcome = match is("failure").as_str() {
                    "no_answer" => words("no answer", "无人接听"),
                    "busy" => words("busy", "忙线"),
                    "declined" => words("declined", "拒接"),
                    "unreachable" => words("unreachable", "无法接通"),
                    _ => words("hung up before the caller was put through", "接通前挂断"),
                };
                Some(format!("{}{colon}{outcome}", is("agent")))
            }
            "connected" => Some(format!("{}{colon}{}", is("agent"), words("connected", "已接通"))),
            "speech_unavailable" => Some(words("speech was not available, keys only", "语音识别不可用，仅按键")),
            "person_wanted" => match is("reason").as_str() {
                "not understood" => Some(words("the bot did not understand the caller", "机器人未能听懂")),
                "shutdown" => Some(words("a person was sought because of maintenance", "因系统维护寻找人工")),
                _ => None,
            },
            "ended" => match is("cause").as_str() {
                "caller_hung_up" => Some(words("the caller hung up", "客户挂断")),
                "silent" => Some(words("the caller said nothing", "客户没有说话")),
                "no_agent" => Some(words("nobody was available", "没有客服在线")),
                "media_lost" => Some(words("the line was lost", "线路中断")),
                "shutdown" => Some(words("ended for maintenance", "因系统维护结束")),
                _ => None,
            },
            _ => None,
        },
        FactKind::Sounded if event == "emotion" => {
            let upset = entry["distress"].as_f64().unwrap() >= 0.6;
            Some(if upset { words("upset", "情绪激动") } else { words("calm", "情绪平稳") })
        }
        FactKind::Open => {
            let after = &timeline.as_array().unwrap()[fact.entry as usize + 1..];
            let reached = after.iter().any(|later| later["event"] == "connected");
            let next_want =
                |later: &&Value| !matches!(later["event"].as_str(), Some("choice")) && later["chosen"].is_null();
            let answered =
                after.iter().take_while(next_want).any(|later| later["event"] == "reply" && later["failure"].is_null());
            match event {
                "person_wanted" if reached => return Err("they reached one".into()),
                "intent" | "choice" if answered => return Err("it was settled".into()),
                "person_wanted" => wanted().map(|what| format!("{what}{colon}{}", words("not reached", "未接通"))),
                _ => wanted().map(|what| format!("{what}{colon}{}", words("not settled", "未解决"))),
            }
        }
        FactKind::LastWords if event == "utterance" => Some(format!("\u{201c}{}\u{201d}", is("text"))),
        _ => None,
    };
    match right {
        Some(right) if right == fact.text => Ok(()),
        Some(right) => Err(format!("the entry says {right:?}")),
        None => Err(format!("a {event} says nothing of the kind")),
    }
}
