//! The summary's own words, in English and Mandarin (English for every other language).

use super::{AgentFailure, BackendFailure, Cause};
use crate::dialog::Language;

pub(super) struct Phrases {
    pub withheld: &'static str,
    pub line: fn(&str) -> String,
    pub a_person: &'static str,
    pub kept_nowhere: &'static str,
    pub yes: &'static str,
    pub no: &'static str,
    pub confirmed: &'static str,
    pub not_confirmed: &'static str,
    pub value: fn(&str, &str) -> String,
    pub verified: fn(&str, &str) -> String,
    pub done: &'static str,
    pub connected: &'static str,
    pub no_speech: &'static str,
    pub upset: &'static str,
    pub calm: &'static str,
    pub upset_since: fn(&str) -> String,
    pub upset_once: fn(&str, &str) -> String,
    pub not_settled: &'static str,
    pub not_reached: &'static str,
    pub call_back: &'static str,
    pub message: &'static str,
    pub quote: fn(&str) -> String,
    mandarin: bool,
}

static ENGLISH: Phrases = Phrases {
    withheld: "number withheld",
    line: |line| format!("line {line}"),
    a_person: "to speak to a person",
    kept_nowhere: "entered, kept nowhere",
    yes: "yes",
    no: "no",
    confirmed: " (confirmed)",
    not_confirmed: " (not confirmed)",
    value: |name, value| format!("{name}: {value}"),
    verified: |name, backend| format!("{name}, by {backend}"),
    done: "done",
    connected: "connected",
    no_speech: "speech was not available, keys only",
    upset: "upset",
    calm: "calm",
    upset_since: |since| format!("caller sounds upset since {since}"),
    upset_once: |since, until| format!("caller sounded upset from {since} to {until}"),
    not_settled: "not settled",
    not_reached: "not reached",
    call_back: "to be called back",
    message: "left a message",
    quote: |words| format!("\u{201c}{words}\u{201d}"),
    mandarin: false,
};

static MANDARIN: Phrases = Phrases {
    withheld: "号码未显示",
    line: |line| format!("线路{line}"),
    a_person: "要求人工服务",
    kept_nowhere: "已输入，未保存",
    yes: "是",
    no: "否",
    confirmed: "（已确认）",
    not_confirmed: "（未确认）",
    value: |name, value| format!("{name}：{value}"),
    verified: |name, backend| format!("{name}，由{backend}核实"),
    done: "已完成",
    connected: "已接通",
    no_speech: "语音识别不可用，仅按键",
    upset: "情绪激动",
    calm: "情绪平稳",
    upset_since: |since| format!("客户从{since}起情绪激动"),
    upset_once: |since, until| format!("客户在{since}至{until}曾情绪激动"),
    not_settled: "未解决",
    not_reached: "未接通",
    call_back: "要求回电",
    message: "已留言",
    quote: |words| format!("“{words}”"),
    mandarin: true,
};

impl Phrases {
    pub fn of(language: &Language) -> &'static Self {
        if language.as_str().starts_with("zh") { &MANDARIN } else { &ENGLISH }
    }

    pub fn backend_failure(&self, failure: BackendFailure) -> &'static str {
        match (failure, self.mandarin) {
            (BackendFailure::NotFound, false) => "not found",
            (BackendFailure::Timeout, false) => "no answer in time",
            (BackendFailure::Down, false) => "system down",
            (BackendFailure::Malformed, false) => "unusable answer",
            (BackendFailure::Refused, false) => "refused",
            (BackendFailure::NotFound, true) => "查无记录",
            (BackendFailure::Timeout, true) => "系统超时",
            (BackendFailure::Down, true) => "系统故障",
            (BackendFailure::Malformed, true) => "系统应答异常",
            (BackendFailure::Refused, true) => "被拒绝",
        }
    }

    pub fn agent_failure(&self, failure: AgentFailure) -> &'static str {
        match (failure, self.mandarin) {
            (AgentFailure::NoAnswer, false) => "no answer",
            (AgentFailure::Busy, false) => "busy",
            (AgentFailure::Declined, false) => "declined",
            (AgentFailure::Unreachable, false) => "unreachable",
            (AgentFailure::LeftEarly, false) => "hung up before the caller was put through",
            (AgentFailure::NotWanted, false) => "not wanted just then",
            (AgentFailure::NoAnswer, true) => "无人接听",
            (AgentFailure::Busy, true) => "忙线",
            (AgentFailure::Declined, true) => "拒接",
            (AgentFailure::Unreachable, true) => "无法接通",
            (AgentFailure::LeftEarly, true) => "接通前挂断",
            (AgentFailure::NotWanted, true) => "当时不需要",
        }
    }

    /// Why the bot looked for a person of its own accord.
    pub fn reason(&self, reason: &str) -> Option<&'static str> {
        Some(match (reason, self.mandarin) {
            ("not understood", false) => "the bot did not understand the caller",
            ("swore at the bot", false) => "the caller swore at the bot",
            ("no answer is known", false) => "the bot knows no answer to the caller's question",
            ("no answer is known", true) => "机器人不知道客户问题的答案",
            ("not understood", true) => "机器人未能听懂",
            ("swore at the bot", true) => "来电者对机器人说了粗话",
            ("the voice failed", false) => "the bot lost its voice",
            ("the voice failed", true) => "机器人语音故障",
            ("the caller is upset", false) => "a person was sought because the caller was upset",
            ("the caller is upset", true) => "因客户情绪激动转接人工",
            ("a person was offered", false) => "the caller was offered a person and accepted",
            ("a person was offered", true) => "主动提出转人工，客户同意",
            ("shutdown", false) => "a person was sought because of maintenance",
            ("shutdown", true) => "因系统维护寻找人工",
            _ => return None,
        })
    }

    /// How it ended, where that needs saying.
    pub fn cause(&self, cause: Cause) -> Option<&'static str> {
        Some(match (cause, self.mandarin) {
            (Cause::CallerHungUp, false) => "the caller hung up",
            (Cause::Silent, false) => "the caller said nothing",
            (Cause::NoAgent, false) => "nobody was available",
            (Cause::MediaLost, false) => "the line was lost",
            (Cause::Shutdown, false) => "ended for maintenance",
            (Cause::Interrupted, false) => "ended by a crash",
            (Cause::CallerHungUp, true) => "客户挂断",
            (Cause::Silent, true) => "客户没有说话",
            (Cause::NoAgent, true) => "没有客服在线",
            (Cause::MediaLost, true) => "线路中断",
            (Cause::Shutdown, true) => "因系统维护结束",
            (Cause::Interrupted, true) => "因故障中断",
            (Cause::Completed | Cause::AgentHungUp | Cause::Transferred, _) => return None,
        })
    }
}
