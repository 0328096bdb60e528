//! What the bot says of its own accord, in English and Mandarin: short, warm, and never more than it knows.
//! Every text here may be replaced in the operator's flow.

use super::Language;
use super::flow::{FlowTexts, Text};

impl Default for FlowTexts {
    fn default() -> Self {
        Self {
            not_heard: text("Sorry, I couldn't hear that.", "不好意思，我没听清。"),
            not_understood: text("Sorry, I didn't quite understand.", "不好意思，我没听明白。"),
            silence: text("Are you still there?", "您还在吗？"),
            to_person: text("I'll put you through to a colleague.", "好的，马上为您转接人工服务。"),
            all_busy: text(
                "All my colleagues are on the phone just now. Please stay on the line.",
                "目前客服都在通话中，请您稍等，不要挂机。",
            ),
            no_agent: text(
                "I'm sorry, nobody is there to take your call right now. Please try again later.",
                "非常抱歉，现在没有客服在线，请您稍后再来电。",
            ),
            goodbye: text("Thank you for calling. Goodbye.", "感谢您的来电，再见。"),
            sorry: text("I'm sorry, something isn't working on our side.", "非常抱歉，我们的系统暂时出了点问题。"),
            keys_only: text(
                "I can't hear you properly at the moment. Please use the keys of your phone, and press 0 for a person.",
                "我暂时听不清您说话，请用手机按键操作，转人工请按0。",
            ),
            hint_menu: text(
                "Just tell me in a few words what you need. For a person, press 0.",
                "您可以用一句话告诉我需要什么，转人工请按0。",
            ),
            hint_digits: text(
                "Please say it digit by digit, or key it in and press hash.",
                "请一个数字一个数字地说，或者用按键输入，按井号键结束。",
            ),
            hint_code: text("Please say it one letter or digit at a time.", "请一个一个地说出字母和数字。"),
            hint_yes_no: text(
                "Please say yes or no, or press 1 for yes and 2 for no.",
                "请说对或者不对，也可以按1表示对，按2表示不对。",
            ),
            hint_free: text("Just say it in your own words. For a person, press 0.", "请直接说出来，转人工请按0。"),
            hint_secret: text(
                "For your safety, please don't say it: key it in and press hash.",
                "为了您的安全，请不要说出来，用按键输入，按井号键结束。",
            ),
            read_back: text("I heard {value:code}. Is that right?", "我听到的是{value:code}，对吗？"),
            misheard: text("Sorry, I misheard. Once more, please.", "不好意思，我听错了，请您再说一次。"),
            what_to_change: text("What should I change?", "请问哪里需要改？"),
            patience: text("One moment, please.", "请稍等。"),
            still_looking: text("I'm still looking. Thank you for your patience.", "还在查询，感谢您的耐心等待。"),
            position: text(
                "You are number {position:number} in the queue.",
                "您前面还有人在等候，您排在第{position:number}位。",
            ),
            next_in_line: text("You are next in line.", "下一位就是您。"),
            estimate: text("The wait is about {minutes:number} minutes.", "大约还需要等{minutes:number}分钟。"),
            still_busy: text(
                "I'm sorry, everybody is still on the phone. Shall I keep trying?",
                "非常抱歉，客服仍然全忙。您愿意继续等吗？",
            ),
            drain: text(
                "I'm sorry, we have to end this call for maintenance. Please call again in a few minutes.",
                "非常抱歉，系统需要维护，这次通话要结束了，请您过几分钟再来电。",
            ),
            drain_to_person: text(
                "I'm sorry, I have to stop for maintenance. I'll put you through to a colleague.",
                "非常抱歉，系统马上要维护，我帮您转接人工服务。",
            ),
            comfort: text(
                "I can hear that this is upsetting, and I'm sorry. I'll do my best to help you quickly.",
                "我听得出来您很着急，真的很抱歉，我会尽快帮您处理。",
            ),
            offer_person: text(
                "If you'd rather talk to a person, just say yes.",
                "如果您想直接跟人工客服说，说“好的”就可以。",
            ),
            nobody_yet: text(
                "I'm sorry, none of my colleagues can take your call right now. Let me see what I can do.",
                "非常抱歉，现在没有客服可以接听，我先尽力帮您。",
            ),
            not_recorded: text("From here on, this call is not recorded.", "从现在起，本次通话不再录音。"),
            not_analysed: text("All right, your voice will not be analysed.", "好的，不会分析您的语气。"),
            nobody_there: text(
                "I'm sorry, nobody is there to take your call right now.",
                "非常抱歉，现在没有客服可以接听您的电话。",
            ),
            long_wait: text("I'm sorry, all my colleagues are still on the phone.", "非常抱歉，客服仍然全忙。"),
            offer_callback: text(
                "If you'd like us to call you back, say \"call me back\", or press 1.",
                "需要我们给您回电话，请说“回电”，或按1。",
            ),
            offer_message: text("To leave a message, say \"message\", or press 2.", "需要留言，请说“留言”，或按2。"),
            offer_wait: text("To keep waiting, say \"wait\", or press 3.", "继续等待，请说“等待”，或按3。"),
            callback_number: text(
                "Shall we call you back on {number:phone}?",
                "我们打{number:phone}给您回电，可以吗？",
            ),
            ask_number: text("On which number can we call you back?", "请问我们打哪个号码给您回电？"),
            number_refused: text("I'm sorry, we can't call that number.", "非常抱歉，我们无法拨打这个号码。"),
            callback_kept: text(
                "Thank you. You keep your place, and we'll call you back as soon as it is your turn.",
                "好的，您的排队位置会保留，轮到您时我们会马上给您回电。",
            ),
            callback_stands: text(
                "We are to call you back on that number already. You keep your place, and we'll call as soon as it is your turn.",
                "这个号码已经登记过回电，您原来的排队位置会保留，轮到您时我们会马上给您回电。",
            ),
            message_now: text(
                "Please leave your message now. When you are done, press hash, or just hang up.",
                "请现在开始留言，说完后按井号键，或直接挂机。",
            ),
            message_kept: text("Thank you. Your message has been recorded.", "谢谢，您的留言已经录好。"),
            called_back: text(
                "Hello, you asked us to call you back. I'll put you through to a colleague.",
                "您好，您之前要求我们回电，现在为您转接客服。",
            ),
        }
    }
}

fn text(en: &str, zh: &str) -> Text {
    Text {
        texts: [(Language::new("en"), en.to_owned()), (Language::new("zh"), zh.to_owned())].into(),
        recordings: Default::default(),
    }
}
