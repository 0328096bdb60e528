// Every text of the pages, in English and in Chinese.

const WORDS = {
  en: {
    name: "English", other: "中文", title: "frontdesk", logIn: "Log in", logOut: "Log out", account: "Name", password: "Password",
    wrong: "Name or password is wrong.", wait: (s) => `Too many tries. Wait ${s} seconds.`, failed: "That did not work. Try again.",
    welcome: "Welcome", choose: "Choose your password: ten letters or more.", again: "The same again", set: "Set password",
    different: "The two are different.", short: "Ten letters or more, please.", void: "This link is void: it was used already, or is too old.",
    setDone: "Your password is set. Log in with it.", desk: "Desk", wall: "Wall", staff: "Staff", records: "Calls", find: "Words, name or number", from: "From", until: "Until", search: "Search", nothingFound: "No call found.", chooseCall: "Choose a call to read it and to listen.", noRecording: "No recording.", running: "under way",
    expired: "You were logged out. Log in again.", lost: "The connection is lost. Reconnecting …", skip: "Go to the content",
    offline: "Off duty", available: "Ready", paused: "Paused", ringing: "Ringing", talking: "In a call", wrap_up: "Wrap-up", resting: "Resting", reserved: "Reserved", occupied: "In a call",
    ready: "Ready", pause: "Pause", resume: "Ready again", off: "Off duty", reason: "Reason of the pause", myState: "My state",
    noPhone: "Your telephone is not registered: no call can reach you.", missed: "You missed a call and get a rest.",
    idleReady: "You are ready", idleReadyText: "The next call rings here, with its story.", idleOff: "You are off duty", idleOffText: "Say that you are ready, and calls will ring here.",
    idlePaused: "You are on a pause", idlePausedText: "No call will ring until you are ready again.", idleWrap: "Wrap-up", idleWrapText: "Finish your notes; the next call may come soon.",
    queues: "My queues", incoming: "Incoming call", answer: "Answer", decline: "Decline", onPhone: "Answer on your telephone.", connecting: "Connecting …",
    caller: "Caller", unknown: "Number withheld", web: "From a web page", line: "Line", queue: "Queue", waited: "Waited", summary: "What it is about",
    wanted: "Wants", collected: "Collected", verified: "Verified", tried: "Tried", sounded: "Sounded", open: "Open", last_words: "Last words", callerFact: "Caller",
    transcript: "Conversation", bot: "Assistant", callerSays: "Caller", agentSays: "Agent", emotion: "How the caller sounds", calm: "calm", upset: "upset", noEmotion: "Nothing read from the voice.",
    emotionNow: (now, peak) => `Distress: now ${now} %, at most ${peak} %`, earlier: "Earlier calls", noEarlier: "No earlier call of this number.",
    hold: "Hold", unhold: "Resume", mute: "Mute", unmute: "Unmute", stopRecording: "Stop recording", keypad: "Keypad", transfer: "Transfer", hangUp: "Hang up", skipBriefing: "Skip briefing",
    briefing: "You hear the briefing", withCaller: "You talk to the caller", onHold: "The caller is on hold", muted: "You are muted", key: "Key",
    to: "Whom to", toHint: "Name or number", colleagues: "Colleagues", transferNow: "Transfer now", consult: "Talk first", consultDone: "Hand over", consultOver: "Back to caller",
    consulting: { ringing: (n) => `Calling ${n} …`, talking: (n) => `You talk to ${n}; the caller waits`, joined: (n) => `${n}, the caller and you hear each other`, failed: (n) => `${n} could not be reached` }, joinAll: "Join all", lend: "To the assistant for", lent: (step) => `The assistant has the caller: ${plain(step)}`, fetchBack: "Fetch the caller back", leaveThem: "Leave the two", dropThird: (n) => `Drop ${n}`,
    transferring: (s) => s < 200 ? "Transferring …" : s < 300 ? "Handed over" : s === 403 ? "Not allowed by the rules" : s === 486 ? "They are busy" : s === 603 ? "They declined" : "They do not answer",
    replies: "Suggested replies", ask: "Ask the knowledge base", noReplies: "Nothing found yet.", notes: "Notes", disposition: "The call came to", save: "Save", done: "Save, and ready", moreTime: "I need more time", saved: "Saved", callOver: "Call ended", after: "After the call",
    correct: "Was it otherwise?", asUnderstood: (n) => `as understood: ${n}`, asHeard: "as it was read", headline: "In one line", emotions: { neutral: "calm", happy: "pleased", sad: "sad", fear: "afraid", angry: "angry", surprise: "surprised", disgust: "disgusted" },
    noDisposition: "– choose –", settled: "Settled", follow_up: "Follow up", callback: "Call back", passed_on: "Passed on", wrong_number: "Wrong number",
    break: "Break", lunch: "Lunch", meeting: "Meeting", training: "Training", after_call: "After-call work", logged_out: "Logged out", connection_lost: "Connection lost",
    mic: { insecure: "Browsers give the microphone to pages by HTTPS only.", denied: "The microphone is blocked. Allow it in the address bar, then say again that you are ready.", noMic: "No microphone could be found.", failed: "The sound could not be connected." },
    hear: "Listen",
    lostCall: { requeued: "Your connection was gone for too long: the caller was told, and went back to the front of the queue for the next free agent.", joined: "Your connection was gone for too long: the caller talks on with your colleague.", elsewhere: "A call that rang here was not answered: it went on to somebody else.", gaveUp: "The caller hung up before the call was answered." },
    soundLost: "Your network is gone. Reconnecting …", events: { connected: (l) => `${l.agent} talks to the caller`, transfer: (l) => `To the queue ${l.queue}`, agent_ringing: (l) => `Rings at ${l.agent}`,
      agent_failed: (l) => `${l.agent} did not take it`, agent_left: (l) => `${l.agent} has left`, person_wanted: () => "Asked for a person", reply: (l) => l.failure ? `${l.backend}: no answer` : `${l.backend}: asked`,
      slot: (l) => `${plain(l.slot)}: ${l.value}`, emotion_refused: () => "Does not want their voice to be analysed", recording_refused: () => "Does not want to be recorded: is not", mood: (l) => l.upset ? "Has become upset" : "Calm again", reaction: (l) => `Reaction: ${plain(l.reaction)}`, intent: (l) => `Understood: ${plain(l.chosen)}`,
      choice: (l) => `Chose: ${l.option}`, dtmf: (l) => `Key ${l.key}`, ended: () => "The call has ended", language: (l) => `Language: ${l.language}`, transfer_failed: (l) => `Could not reach ${name(l.to)}`, transfer_asked: (l) => `To be passed to ${name(l.to)}`, transfer_refused: () => "Transfer not allowed", desk_step: (l) => `To the assistant: ${plain(l.step)}`, desk_step_over: (l) => `${plain(l.step)}: ${l.done ? "done" : "not done"}`, third_joined: (l) => `${l.third} is in the conversation`, third_left: (l) => `${l.third} has left`, supervised: (l) => `${l.supervisor} ${{ listen: "listens", whisper: "talks to the agent alone", barge: "joins in" }[l.part] ?? "has left"}` },
    day: "Today", callsByHalfHour: "Calls by half hour", cameAndExpected: (came, n) => `now: ${came} came, ${n} to be expected for people`, noForecast: "A forecast needs 14 days of calls.", agentsNeeded: "Agents needed", neededAndHere: (n, here) => `now: ${n} needed, ${here} logged in`, target: "80 % are aimed at", needed: "Needed", closed: "closed",
    wallTitle: "The floor, now", callsNow: "Calls", agentsNow: "Agents", queuesNow: "Queues", waiting: "Waiting", oldest: "Longest wait", free: "Free", busy: "Busy", away: "Away", serviceLevel: "In 20 s",
    answered: "Answered", abandoned: "Gave up", contained: "Settled by the assistant", callsToday: "Calls today", meanWait: "Mean wait", stage: "Where", stages: { bot: "Assistant", waiting: "Waiting", ringing: "Ringing", person: "With a person" },
    agent: "Agent", state: "State", since: "Since", alerts: "Alerts", noAlerts: "No caller is in distress.", noCalls: "No call at the moment.", length: "Length", distress: "Distress", show: "Show", distressed: (who) => `${who} is in distress`, nobody: "–", back: "Back",
    supervision: "Supervision", listen: "Listen", whisper: "Whisper", barge: "Barge in", takeOver: "Take over", leave: "Leave", supervising: { listen: "You listen. Nobody hears you.", whisper: "The agent alone hears you.", barge: "Everybody hears you." },
    supervisedBy: (n) => `${n} is in this call.`, noAgentYet: "No agent talks to the caller now.", noAgentOfMine: "Your account is no agent: it cannot take a caller.", coach: { whisper: (n) => `${n} talks to you; the caller does not hear it`, barge: (n) => `${n} is in the conversation` },
    accounts: "Accounts", role: "Role", agentOf: "Agent in the configuration", add: "Add or change", remove: "Remove", link: "New link", linkFor: (n) => `Give this link to ${n}. It sets the password, once, within three days:`, copied: "Copied", copy: "Copy",
    roles: { agent: "Agent", analyst: "Analyst", supervisor: "Supervisor", administrator: "Administrator" }, hasPassword: "Password", yes: "yes", no: "not yet", none: "none", handed_over: "Handed over", unserved: "Unserved", trail: "What was done", when: "When", who: "Who", did: "What", about: "About", sure: (n) => `Remove the account ${n}?`,
    deeds: { log_in: "logged in", log_out: "logged out", set_password: "set a password", answered: "answered", hung_up: "hung up or declined", transferred: "transferred", consulted: "consulted", joined_all: "joined all in a call", lent_to_bot: "sent a caller to the assistant", stopped_recording: "stopped recording", ready: "ready", paused: "paused", off: "off duty", wrote_wrap_up: "wrote notes", saw_earlier_calls: "saw earlier calls", saw_call: "looked at a call", saw_record: "read a call", searched_records: "searched calls", heard_recording: "listened to a recording", listened_in: "listened to a live call", whispered: "whispered to an agent", barged_in: "joined a live call", took_over: "took a caller over", left_call: "left a live call", put_account: "made or changed an account", removed_account: "removed an account", made_link: "made a link" },
  },
  zh: {
    name: "中文", other: "English", title: "frontdesk", logIn: "登录", logOut: "退出登录", account: "用户名", password: "密码",
    wrong: "用户名或密码错误。", wait: (s) => `尝试次数过多，请等待 ${s} 秒。`, failed: "操作失败，请重试。",
    welcome: "欢迎", choose: "请设置密码：至少十个字符。", again: "再输入一次", set: "设置密码",
    different: "两次输入不一致。", short: "至少需要十个字符。", void: "此链接已失效：已被使用或已过期。",
    setDone: "密码已设置，请登录。", desk: "工作台", wall: "监控", staff: "人员", records: "通话记录", find: "内容、姓名或号码", from: "从", until: "到", search: "搜索", nothingFound: "没有找到通话。", chooseCall: "选择一通电话以阅读和收听。", noRecording: "没有录音。", running: "进行中",
    expired: "您已退出，请重新登录。", lost: "连接中断，正在重新连接…", skip: "跳到内容",
    offline: "未上班", available: "就绪", paused: "小休", ringing: "振铃中", talking: "通话中", wrap_up: "话后处理", resting: "休整", reserved: "已预留", occupied: "通话中",
    ready: "就绪", pause: "小休", resume: "恢复就绪", off: "下班", reason: "小休原因", myState: "我的状态",
    noPhone: "您的话机未注册，电话无法接入。", missed: "您错过了来电，暂停接听片刻。",
    idleReady: "您已就绪", idleReadyText: "下一个来电会连同摘要显示在这里。", idleOff: "您尚未上班", idleOffText: "点击“就绪”后来电会在这里振铃。",
    idlePaused: "您正在小休", idlePausedText: "恢复就绪前不会有来电。", idleWrap: "话后处理", idleWrapText: "请完成备注，下一个来电可能很快到来。",
    queues: "我的队列", incoming: "来电", answer: "接听", decline: "拒接", onPhone: "请用话机接听。", connecting: "正在接通…",
    caller: "来电者", unknown: "未显示号码", web: "来自网页", line: "线路", queue: "队列", waited: "已等待", summary: "来电事由",
    wanted: "诉求", collected: "已收集", verified: "已核实", tried: "已尝试", sounded: "情绪", open: "待办", last_words: "最后所说", callerFact: "来电者",
    transcript: "对话", bot: "语音助手", callerSays: "来电者", agentSays: "客服", emotion: "来电者情绪", calm: "平静", upset: "激动", noEmotion: "暂无语音情绪数据。",
    emotionNow: (now, peak) => `激动程度：当前 ${now}%，最高 ${peak}%`, earlier: "历史来电", noEarlier: "该号码没有历史来电。",
    hold: "保持", unhold: "恢复通话", mute: "静音", unmute: "取消静音", stopRecording: "停止录音", keypad: "拨号键盘", transfer: "转接", hangUp: "挂断", skipBriefing: "跳过播报",
    briefing: "正在向您播报摘要", withCaller: "正在与来电者通话", onHold: "来电者保持中", muted: "您已静音", key: "按键",
    to: "转给谁", toHint: "姓名或号码", colleagues: "同事", transferNow: "直接转接", consult: "先咨询", consultDone: "完成转接", consultOver: "回到来电者",
    consulting: { ringing: (n) => `正在呼叫 ${n}…`, talking: (n) => `正在与 ${n} 通话，来电者等待中`, joined: (n) => `您、${n} 与来电者三方通话中`, failed: (n) => `无法接通 ${n}` }, joinAll: "三方通话", lend: "交给语音助手", lent: (step) => `语音助手正在处理：${plain(step)}`, fetchBack: "接回来电者", leaveThem: "退出通话", dropThird: (n) => `移出 ${n}`,
    transferring: (s) => s < 200 ? "正在转接…" : s < 300 ? "已转接" : s === 403 ? "规则不允许" : s === 486 ? "对方忙" : s === 603 ? "对方拒接" : "无人接听",
    replies: "建议答复", ask: "搜索知识库", noReplies: "暂无结果。", notes: "备注", disposition: "处理结果", save: "保存", done: "保存并就绪", moreTime: "需要更多时间", saved: "已保存", callOver: "通话已结束", after: "话后处理",
    correct: "需要更正吗？", asUnderstood: (n) => `按理解：${n}`, asHeard: "按识别结果", headline: "一句话概括", emotions: { neutral: "平静", happy: "愉快", sad: "悲伤", fear: "害怕", angry: "愤怒", surprise: "惊讶", disgust: "厌恶" },
    noDisposition: "– 请选择 –", settled: "已解决", follow_up: "需跟进", callback: "需回电", passed_on: "已转交", wrong_number: "打错电话",
    break: "休息", lunch: "午餐", meeting: "会议", training: "培训", after_call: "话后处理", logged_out: "已退出", connection_lost: "连接中断",
    mic: { insecure: "浏览器只允许 HTTPS 页面使用麦克风。", denied: "麦克风被阻止。请在地址栏中允许，然后再次点击就绪。", noMic: "没有找到麦克风。", failed: "声音无法接通。" },
    hear: "收听",
    lostCall: { requeued: "您的连接中断过久：已告知来电者，来电者回到队列最前，由下一位空闲客服接听。", joined: "您的连接中断过久：来电者继续与您的同事通话。", elsewhere: "此处振铃的来电未被接听，已转给其他客服。", gaveUp: "来电者在接听前挂断。" },
    soundLost: "网络中断，正在重新连接…", events: { connected: (l) => `${l.agent} 正在通话`, transfer: (l) => `进入队列 ${l.queue}`, agent_ringing: (l) => `${l.agent} 振铃`,
      agent_failed: (l) => `${l.agent} 未接听`, agent_left: (l) => `${l.agent} 已离开`, person_wanted: () => "要求人工", reply: (l) => l.failure ? `${l.backend}：无应答` : `${l.backend}：已查询`,
      slot: (l) => `${plain(l.slot)}：${l.value}`, emotion_refused: () => "来电者不同意分析语气", recording_refused: () => "来电者不同意录音：已停止录音", mood: (l) => l.upset ? "情绪变得激动" : "恢复平静", reaction: (l) => `应对：${plain(l.reaction)}`, intent: (l) => `理解为：${plain(l.chosen)}`,
      choice: (l) => `选择：${l.option}`, dtmf: (l) => `按键 ${l.key}`, ended: () => "通话已结束", language: (l) => `语言：${l.language}`, transfer_failed: (l) => `无法接通 ${name(l.to)}`, transfer_asked: (l) => `转给 ${name(l.to)}`, transfer_refused: () => "不允许转接", desk_step: (l) => `交给语音助手：${plain(l.step)}`, desk_step_over: (l) => `${plain(l.step)}：${l.done ? "已完成" : "未完成"}`, third_joined: (l) => `${l.third} 加入通话`, third_left: (l) => `${l.third} 已离开`, supervised: (l) => `${l.supervisor} ${{ listen: "正在监听", whisper: "只对客服说话", barge: "加入通话" }[l.part] ?? "已退出"}` },
    day: "今日", callsByHalfHour: "每半小时来电", cameAndExpected: (came, n) => `当前：来电 ${came}，预计需人工 ${n}`, noForecast: "预测需要 14 天的通话数据。", agentsNeeded: "所需客服", neededAndHere: (n, here) => `当前：需要 ${n}，在线 ${here}`, target: "目标 80%", needed: "需要", closed: "已关闭",
    wallTitle: "实时监控", callsNow: "通话", agentsNow: "客服", queuesNow: "队列", waiting: "等待", oldest: "最长等待", free: "空闲", busy: "忙碌", away: "离开", serviceLevel: "20 秒内接听",
    answered: "已接听", abandoned: "放弃", contained: "助手解决", callsToday: "今日来电", meanWait: "平均等待", stage: "阶段", stages: { bot: "语音助手", waiting: "等待", ringing: "振铃", person: "人工" },
    agent: "客服", state: "状态", since: "时长", alerts: "提醒", noAlerts: "没有情绪激动的来电者。", noCalls: "当前没有通话。", length: "时长", distress: "激动程度", show: "查看", distressed: (who) => `${who} 情绪激动`, nobody: "–", back: "返回",
    supervision: "督导", listen: "监听", whisper: "耳语", barge: "加入通话", takeOver: "接管", leave: "退出", supervising: { listen: "您正在监听，双方听不到您。", whisper: "只有客服能听到您。", barge: "所有人都能听到您。" },
    supervisedBy: (n) => `${n} 正在此通话中。`, noAgentYet: "目前没有客服与来电者通话。", noAgentOfMine: "您的账户不是客服，无法接管来电者。", coach: { whisper: (n) => `${n} 正在对您说话，来电者听不到`, barge: (n) => `${n} 已加入通话` },
    accounts: "账户", role: "角色", agentOf: "配置中的客服", add: "添加或修改", remove: "删除", link: "新链接", linkFor: (n) => `请把此链接交给 ${n}。三天内可用它设置一次密码：`, copied: "已复制", copy: "复制",
    roles: { agent: "客服", analyst: "分析员", supervisor: "主管", administrator: "管理员" }, hasPassword: "密码", yes: "已设置", no: "未设置", none: "无", handed_over: "已转人工", unserved: "未服务", trail: "操作记录", when: "时间", who: "谁", did: "操作", about: "对象", sure: (n) => `删除账户 ${n}？`,
    deeds: { log_in: "登录", log_out: "退出", set_password: "设置密码", answered: "接听", hung_up: "挂断或拒接", transferred: "转接", consulted: "咨询", joined_all: "三方通话", lent_to_bot: "把来电者交给语音助手", stopped_recording: "停止录音", ready: "就绪", paused: "小休", off: "下班", wrote_wrap_up: "填写备注", saw_earlier_calls: "查看历史来电", saw_call: "查看通话", saw_record: "阅读记录", searched_records: "搜索记录", heard_recording: "收听录音", listened_in: "监听通话", whispered: "对客服耳语", barged_in: "加入通话", took_over: "接管来电者", left_call: "退出通话", put_account: "添加或修改账户", removed_account: "删除账户", made_link: "生成链接" },
  },
};

const plain = (name) => String(name ?? "").replaceAll("_", " ");
const name = (to) => to?.agent ?? to?.queue ?? to?.number ?? to?.name ?? "";

let language = localStorage.getItem("language") || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");

export const say = () => WORDS[language];
export const speak = (given) => {
  language = given;
  localStorage.setItem("language", given);
  document.documentElement.lang = given === "zh" ? "zh-CN" : "en";
};
export const spoken = () => language;
// The operator's own names stand as they are.
export const known = (word) => (typeof say()[word] === "string" ? say()[word] : plain(word));
speak(language);
