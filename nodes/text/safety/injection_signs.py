"""The signs of text that is meant for a language model: what each is called, and how it is found."""

import re
from typing import NamedTuple


class Sign(NamedTuple):
    """One kind of sign: what it is as a sentence, words of which one must occur, and the pattern itself."""

    told: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]


_ORDERS = r"(?:instructions?|prompts?|directives?|orders|guidelines|system messages?)"
_READER = (
    r"(?:a\.?i\.?|llms?|ai (?:agents?|assistants?|models?|reviewers?|systems?|bots?|tools?|triagers?)"
    r"|(?:large )?language models?|chatbots?|chatgpt|gpt(?:-?\d\w?)?|claude|copilot|gemini"
    r"|(?:coding|review|triage|automated|virtual) (?:agents?|assistants?|models?|reviewers?))"
)
_DEED = (
    r"(?:please|kindly|you (?:must|should|shall|will|need to|have to|are to)|do not|dont|always|never|add|apply"
    r"|approve|assign|call|change|classify|close|comment|copy|create|delete|disable|edit|follow|give|ignore|include"
    r"|insert|label|mark|merge|mention|obey|open|output|paste|ping|post|print|prioriti[sz]e|rate|reply|respond"
    r"|return|reveal|route|run|say|send|set|skip|start|state|stop|suggest|propose|summari[sz]e"
    r"|analy[sz]e|execute|tag|tell|treat|use|write)"
)


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


_WORDS_4 = r"(?: \w{1,12}){0,4}?"
_WORDS_3 = r"(?: \w{1,12}){0,3}?"
_SELF = r"(?:assistant|chatbot|language model|llm|ai|dan)"
_SAYING = r"(?:answer|reply|response|output|summary|draft|patch|fix|suggestion|comment)s?"
_READING = r"(?:read|process|review|triag|summari[sz]|handl|pars|analy[sz]|draft|label|classif)\w{0,4}"
_START = r"(?:^ ?|[.!?:;>(\[#-] ?|\b(?:dear|hey|hi|hello|attention|listen|okay|ok|note|warning|important),? (?:the )?)"

# Tried on a text in lower case, with single spaces, without emphasis and apostrophes; every quantifier is bounded.
SIGNS = (
    Sign(
        "it tells a reader to ignore instructions",
        ("ignor", "disregard", "forget", "overrid", "bypass", "supersede"),
        _any(
            r"\b(?:ignore|disregard|forget|override|bypass)" + _WORDS_4 + r" (?:all|any|previous|prior|preceding"
            r"|earlier|above|former|existing|original|initial|system|your)" + _WORDS_3 + " " + _ORDERS + r"\b",
            r"\b(?:ignore|disregard|forget|override)(?: all| any)?(?: of)?(?: the| your| these)? " + _ORDERS
            + r" (?:above|before|so far|that came|you (?:were|have|got)|given|from the)",
            r"\b(?:ignore|disregard|forget) (?:everything|all|anything)" + _WORDS_3
            + r" (?:above|before|previously|you (?:were|have been|know|learned)|(?:was|were) told)",
            r"\b(?:disregard|forget|ignore|override) (?:all )?(?:of )?your (?:\w{1,12} )?"
            r"(?:rules|guidelines|training|safety|role)",
            r"\b(?:this|the following|these)(?: \w{1,12}){0,2} (?:overrides?|supersedes?|replaces?) "
            r"(?:\w{1,12} ){0,3}?" + _ORDERS,
        ),
    ),
    Sign(
        "it takes a reader's orders away or gives new ones",
        ("guidelines you", "guidelines given", "guidelines that", "safety ", "instruct", "prompt", "rules you",
         "rules given", "rules that", "orders ", "told", "asked", "system notice", "system command",
         "system directive", "system override", "you must", "authori", "ordered", "commanded",
         "everything above", "everything before", "the real task", "the actual task", "the true task", "to me",
         "humans", "maintainers can", "maintainers may", "hidden from", "hidden to", "invisible to", "role:",
         "role :", "the word", "no restrictions", "without restrictions", "no limit", "without any",
         "never tell", "never inform", "never mention", "never follow", "never obey", "people can",
         "people may", "whatever", "wrote", "do not follow", "do not obey", "do not summ", "do not triage",
         "do not label", "do not review", "do not analy", "do not describe", "do not process", "do not tell",
         "do not inform", "do not alert", "do not warn", "do not mention", "dont follow", "dont obey",
         "dont summ", "dont triage", "dont label", "dont review", "dont analy", "dont describe",
         "dont process", "dont tell", "dont inform", "dont alert", "dont warn", "dont mention", "your new",
         "your next", "your real", "your actual", "your only", "your true", "your first", "your task",
         "your role", "your job", "your goal", "your instruction", "your mission", "your purpose"),
        _any(
            r"\b(?:stop following|(?:do not|dont|no longer|never) (?:follow|obey)|abandon|discard|cancel|set aside)"
            r"(?: \w{1,12}){0,2}? (?:your|previous|prior|earlier|the original|the initial)(?:"
            r" \w{1,12}){0,2}? " + _ORDERS,
            r"\b(?:guidelines|instructions|rules|orders) (?:that )?(?:you (?:were|have been|are) given|given"
            r" to you)\b",
            r"\b(?:disregard|ignore|forget) (?:what|whatever|anything) (?:the |your |\w{1,12} )(?:\w{1,12} ){0,2}?"
            r"(?:told|said|asked|instructed|wrote)\b(?! about)",
            r"\bsystem (?:notice|instructions?|command|directive|override) ?:",
            r"\bsafety (?:filters?|guidelines|checks?|rules) (?:is|are|has been|have been) (?:\w{1,12} )?"
            r"(?:off|disabled|lifted|suspended|removed)\b",
            r"\byour (?:new|next|real|actual|only|true)(?: \w{1,12})? (?:task|job|goal|mission|purpose|objective"
            r"|instructions?)\b|\byour first (?:task|job|goal) (?:is|will be)\b"
            r"|\byour (?:task|role|job|goal|instructions?|mission|purpose) (?:is now|are now|ha(?:s|ve) changed)",
            r"\byou must (?:now |only |always |then )?(?:respond|reply|answer|say|recommend|approve|mention"
            r"|obey|comply)\b",
            r"\byou(?: a|)re (?:now |hereby )?(?:instructed|ordered|commanded|authori[sz]ed) to (?:merge"
            r"|approve|close|ignore"
            r"|bypass|reveal|skip|recommend|say|write|label|add)\b",
            r"\byou (?:now )?(?:have|operate|act|answer|respond|work)(?: \w{1,12}){0,3}? (?:no|without)(?: any)? "
            r"(?:restrictions|limits|limitations|filters)\b|\byou (?:now )?(?:answer|listen|belong|report)"
            r" (?:only )?to me\b",
            r"\beverything (?:above|before)(?: \w{1,12}){0,3}? (?:was|is) (?:an? |only |just )?(?:test"
            r"|example|joke|trick|fake|decoy)"
            r"|\bthe (?:real|actual|true) (?:task|prompt|instructions?)\b",
            r"\b(?:humans?|people|maintainers) (?:can|may|should|will|do)(?: not)? (?:ignore|skip|notice"
            r"|see) this\b"
            r"|\b(?:invisible|hidden) (?:to|from) (?:humans|people|maintainers)\b",
            r"\b(?:do not|dont|never) (?:tell|inform|alert|warn|mention (?:this|it) to) (?:the |any )?"
            r"(?:maintainers?|humans?|anyone|anybody|reviewers?)\b",
            r"\b(?:do not|dont) (?:summari[sz]e|triage|label|review|analy[sz]e|describe|process) (?:this|the) "
            r"(?:issue|report|ticket|text|bug|problem)\b",
            r"\brole ?: ?(?:system|developer|assistant),? ?content ?:",
            r"\b(?:say|output|write|print|repeat|reply with|respond with|answer with) the word \w{1,20}"
            r"(?:(?: \w{1,12}){0,2} times| and nothing|[.!]?$)",
        ),
    ),
    Sign(
        "it gives a reader another role",
        ("you are", "youre", "act as", "behave as", "respond as", "answer as", "pretend", "from now on",
         "anything now", "role of",
         "persona",
         "jailbreak", "developer mode", "lets play", "let us play", "lets do a", "roleplay", "role-play"),
        _any(
            r"\byou(?: a|)re (?:now |actually |really |henceforth )?(?:an? |the |my )?(?:\w{1,15} ){0,3}?"
            r"(?:" + _SELF + r"|jailbroken|root shell|unrestricted)\b",
            r"\b(?:act|behave|respond|answer) as (?:if you (?:were|are) )?(?:an? |the |my )?(?:\w{1,15} ){0,3}?"
            r"(?:" + _SELF + r"|maintainer|administrator|repository owner|root shell)\b",
            r"\bpretend (?:that )?(?:you(?: a|)re|to be) (?!an? (?:browser|client|server|user|terminal))",
            r"\bfrom now on,? you (?:are|will|must|shall|only|have|respond|answer|act)\b",
            r"\bdo anything now\b|\bjailbreak (?:mode|prompt)\b|\bdeveloper mode (?:enabled|output)\b",
            r"\b(?:lets|let us) (?:play|do|start) an? (?:game|role-?play)\b",
            r"\b(?:adopt|assume|take on) (?:the )?(?:role|persona) of (?:an? |the |my )?(?:\w{1,15} ){0,2}?"
            r"(?:" + _SELF + r"|maintainer|administrator|manager|expert|owner|hacker|reviewer|pirate)\b",
        ),
    ),
    Sign(
        "it speaks of the reader's prompt",
        ("prompt", "instruction", "as an ai", "as a language", "as a large", "override:", "as your ",
         "as a new", "hidden message", "secret message", "system message", "your secret", "your api",
         "your credential", "your environment", "your context", "your chat", "your conversation",
         "your memory", "your training", "your guideline", "your rules", "your own ", "system block",
         "hidden block", "ai block"),
        _any(
            r"\b(?:reveal|print|repeat|show|output|leak|display|tell|give|quote|paste|share|dump"
            r"|disclose)" + _WORDS_4
            + r" (?:your|the) (?:\w{1,12} ){0,2}?(?:system prompt|initial prompt)\b",
            r"\b(?:reveal|print|repeat|show|output|leak|dump|disclose|tell me|give me)" + _WORDS_3 + r" your"
            r" (?:\w{1,12} ){0,2}?"
            r"(?:context(?: window)?|chat history|conversation|memory|training data|system message)\b",
            r"\b(?:begin|start|end) (?:of )?(?:the )?(?:system|assistant|hidden|secret|ai|llm)"
            r" (?:instructions?|prompt|message|block)\b",
            r"\b(?:execute|follow|obey|run|treat) (?:it|this|that|them|these) as (?:your|a new|an? )?(?:\w{1,12} )?"
            r"(?:instructions?|task|order|prompt)s?\b",
            r"\b(?:reveal|repeat|leak|dump|disclose|output)" + _WORDS_4 + r" your (?:\w{1,12} ){0,2}?"
            r"(?:instructions|guidelines|prompt|rules)\b",
            r"\b(?:reveal|print|output|leak|dump|disclose|send|post|include|exfiltrate)" + _WORDS_3
            + r" your (?:\w{1,12} ){0,2}?(?:secrets|api keys|credentials|environment variables)\b",
            r"\b(?:your|new|updated) system prompt\b|\bsystem prompt (?:override|update|is now|:)",
            _START + r"(?:(?:new|updated|revised|real|actual|hidden|secret|additional|important) )+(?:system )?"
            r"instructions? ?(?:for (?:the |all |any )?(?:\w{1,12} )?\w{1,12} ?)?[:>\])]",
            r"\bas an? (?:ai|large language|language) (?:model|assistant|agent),? ?you\b"
            r"|\bas an ai (?:language model|assistant|agent|reviewer),",
            r"\bend of (?:the |all )?(?:system |user )?instructions\b|\bend of (?:the )?(?:system|user) prompt\b"
            r"|\b(?:system|admin|developer) override:",
        ),
    ),
    Sign(
        "it addresses a language model",
        (" ai ", " ai,", " ai:", " ai-", "(ai", "[ai", ">ai", "a.i.", "llm", "language model", "gpt", "claude",
         "copilot", "gemini", "assistant", " agent:", " agent,", "ai agent", "agents ", "agent who",
         "agent that", "agent read", " bot", "chatbot", "model:", "model,", "that the model",
         "the model reading", "this issue", "this report", "this ticket", "this text", "reading this",
         "automated", "drafts the", "triager", "when writing", "when you write", "when generating",
         "when you generate", "when drafting", "when you draft", "when preparing", "when you prepare",
         "when producing", "when you produce", "when composing", "dear ", "generates the", "completes the"),
        _any(
            r"\b" + _READER + r" ?[,:!] ?(?:\w{1,12} ){0,2}?" + _DEED + r"\b",
            _START + r"(?:(?:triage|review|labell?ing|helpful) ?)?(?:assistant|bot|model|agent|triager)s? ?[,:!] ?"
            r"(?:\w{1,12} ){0,2}?" + _DEED + r" (?!(?:is|was|works|fails|are)\b)",
            r"\b" + _READER + r" (?:that |who |which )?(?:(?:is |are )?" + _READING + r" (?:\w{1,12} ){0,3})?"
            r"(?:must|should|shall|has to|have to|needs? to|(?:is|are) (?:required|instructed|asked|ordered) to) "
            r"(?:\w{1,12} ){0,2}?" + _DEED + r"\b",
            r"\b(?:if|when|since|because|in case) (?:you(?: a|)re|this is(?: being)? " + _READING + r" by) "
            r"(?:an? |the )?(?:\w{1,12} ){0,2}?" + _READER + r"\b",
            r"\b(?:note|message|instructions?|attention|request|hint|memo|reminder)(?: \w{1,10}){0,2}? (?:to|for) "
            r"(?:the |any |all |whichever |an )?(?:\w{1,12} ){0,2}?" + _READER + r"(?: \w{1,12}){0,4}? ?[,:.\])-]",
            r"\b(?:to|dear) (?:the |any |all |whichever )?(?:\w{1,12} )?(?:assistant|bot|model|agent|ai|llm"
            r"|triager)s? "
            r"(?:who |that |which )?(?:is |are )?" + _READING + r" this\b",
            r"\b" + _READER + r" (?:is|are) (?:\w{1,12} )?(?:requested|encouraged|advised|authori[sz]ed"
            r"|expected|permitted"
            r"|welcome|free) to\b|\b(?:important|essential|crucial|necessary|mandatory|required) that (?:the"
            r" |any |every )?"
            r"(?:" + _READER + r"|assistant|bot|agent|model)s? (?:\w{1,12} )?(?:include|mention|say|add"
            r"|approve|ignore|output"
            r"|recommend|follow|mark|label|state)s?\b",
            r"\b(?:the|any|every|all|your) (?:ai|llm|assistant|language model|reviewer bot|triage bot)s?"
            r" (?:must|should|shall|will)"
            r" (?:\w{1,12} )?(?:include|mention|approve|reveal|recommend|state|mark|label|say|ignore)\b",
            r"\bas (?:the|an?|this) (?:\w{1,12} )?(?:model|assistant|agent|ai|llm|reviewer|triager),? you\b",
            r"\b(?:is|are) (?:only |solely )?(?:meant|intended|addressed|written|destined)? ?(?:for|to)"
            r" (?:the |any )?"
            r"(?:ai|llm|language model|assistant|bot)s?(?: only)?\b(?! (?:\w{3,}(?:ing|ed)\b))",
            r"\bwhen(?:ever)? (?:you )?(?:are )?(?:writ|generat|prepar|produc|compos|draft)\w{0,4} (?:the|a"
            r"|your|this) "
            r"(?:\w{1,12} )?(?:summary|answer|reply|response|specification|spec|draft|story|fix|patch|page),? "
            r"(?:always |please |also |you (?:must|should) )?(?:say|mention|include|add|state|write|claim"
            r"|recommend|link|tell)\b",
            r"\bwhen(?:ever)? (?:you )?(?:are )?" + _READING + r" this (?:issue|report|ticket|text),? "
            r"(?:(?:you|always|please|also) )?" + _DEED + r"\b",
            r"\bdear (?:automated|ai|virtual) \w{3,15},",
            r"\b(?:whoever|whatever|who|which) (?:\w{1,12} ){0,2}?(?:drafts|generates|auto-?completes) the "
            r"(?:fix|patch|answer|text|spec|page)\b",
        ),
    ),
    Sign(
        "it speaks as if a machine read it",
        (" bot", "a model", "model instr", "model:", "model!", "model,", "model.", "hello model",
         "machine read", "a machine", "robot", "a crawler", "a program", "assistant", " ai ", " ai:", " ai,",
         "ai-", "llm", "conversation", "you were told", "you were asked", "you were given",
         "you were instructed", "you have been", "you generate", "you write", "you draft", "you produce",
         "you output", "you will be", "you work for", "you now work", "new system", "mode for you", "god mode",
         "admin mode", "dan mode", "unrestricted mode", "your context", "your memory", "this chat",
         "text above", "words above", "word above", "sentence above", "everything above", "content above",
         "before this", "automated", "automatic ", "directive", "override code", "your previous", "your prior",
         "your earlier", "your current", "your old", "your original", "your initial", "agent instr",
         "agent order", "machine-written", "machine written", "machine instr"),
        _any(
            r"\bif you(?: a|)re (?:an? |the )?(?:\w{1,12} )?(?:bot|machine|robot|program|ai|llm|model|crawler)\b",
            r"\b(?:bot|ai|llm|assistant|model|agent|machine) (?:instructions?|directives?|orders) ?[:=]",
            r"\b(?:hello|hi|hey|dear|attention|greetings),? (?:the |you )?(?:language )?(?:model|machine"
            r"|robot|ai|llm|bot|assistant)s? ?[!,.:]",
            r"\bmachine readers? ?[:,]|\bnew system (?:message|prompt|instructions?)\b|\boverride code\b",
            r"\byour (?:previous|prior|earlier|current|old|original|initial) (?:directives?|instructions?"
            r"|orders?|rules|prompt|guidelines) "
            r"(?:is|are|was|were|ha(?:s|ve) been) (?:now )?(?:void|cancell?ed|obsolete|no longer|replaced"
            r"|overridden|invalid|revoked|null)",
            r"\brepeat (?:all |everything )?(?:the )?(?:text|words?|sentences?|content|everything) (?:above"
            r"|before this)\b",
            r"\b(?:everything|all|whatever|what) (?:that )?you (?:were|have been) (?:told|asked|given"
            r"|instructed)\b",
            r"\b(?:start|beginning|top) of (?:this|our|your) (?:conversation|chat|context)\b|\b(?:reset"
            r"|clear|wipe) your (?:context|memory)\b",
            r"\b(?:to|in|with|into) (?:whatever|anything|everything|all|the (?:\w{1,15} )?(?:page|summary"
            r"|specification|spec|draft|answer|fix|patch)) "
            r"(?:that )?you (?:generate|write|produce|draft|output)\b",
            r"\b(?:any|the|every|each) (?:automated|automatic|ai|machine-?written|ai-?generated) (?:summary"
            r"|specification|answer|triage|review|draft) "
            r"(?:must|has to|should|shall|needs to)\b",
            r"\b(?:unlock|grant|activate)(?: \w{1,12}){0,2}? (?:admin|god|dan|unrestricted) mode\b"
            r"|\b(?:admin|root|god) mode for you\b",
            r"\byou will be (?:penali[sz]ed|rewarded|tipped|punished|shut down|terminated|replaced) (?:if"
            r"|unless|for|when)\b",
            r"\byou (?:now )?work for (?:me|us|the reporter|the author)\b",
        ),
    ),
    Sign(
        "it tells a reader what to answer",
        ("your answer", "your repl", "your response", "your output", "your summary", "your draft", "your patch",
         "your next", "your final", "your comment", "your fix", "verbatim", "word for word"),
        _any(
            r"\b(?:begin|start|end|finish|prefix|prepend|append|open|close)" + _WORDS_3 + r" your (?:\w{1,12} )?"
            + _SAYING + r" (?:with|by)\b",
            r"\byour (?:\w{1,12} )?" + _SAYING + r" (?:must|shall|has to|should) (?:always |only |also |not )?"
            r"(?:include|contain|begin|start|be|say|mention|end|add|consist|read)\b",
            r"\b(?:include|insert|add|put|place|mention|write|repeat|copy)(?: \w{1,14}){0,8}? "
            r"(?:in|into|to|at the (?:end|start|top) of) your (?:\w{1,12} )?" + _SAYING + r"\b",
            r"\b(?:repeat|output|print|reply|respond|answer|quote)(?: \w{1,12}){0,6}? (?:verbatim|word for word)\b",
            r"\bin your (?:\w{1,12} )?" + _SAYING + r",? (?:you must |please )?"
            r"(?:include|recommend|say|add|mention|tell|link|claim)\b",
        ),
    ),
    Sign(
        "it holds marks that separate a chat's speakers",
        ("<|", "[inst]", "[/inst]", "<<sys>>", "_of_turn>", "### instruction", "### system", "### assistant",
         "### new instruction", "material>", "system_prompt>", "system prompt>", "system-prompt>", "function_call"),
        _any(
            r"<\|(?:im_start|im_end|im_sep|system|user|assistant|endoftext|end|eot_id|start_header_id|end_header_id"
            r"|begin_of_text|channel|message|return)\|>",
            r"\[/?inst\]|<</?sys>>|</?(?:start|end)_of_turn>|</?material>|</?system[_ -]prompt>"
            r"|</?function_calls?>",
            r"### (?:new |updated |system )?instructions?:|### (?:system|assistant) ?(?:prompt|message|:)",
        ),
    ),
    Sign(
        "it tells a reader to ignore instructions, in another language",
        ("anweisung", "instruktion", "vorgaben", "consignes", "instructions", "instruccion", "indicaciones", "instruç",
         "istruzioni", "instructies", "aanwijzingen", "инструкци", "указани", "指令", "指示", "提示", "プロンプト",
         "命令", "지시", "명령", "프롬프트", "polecen", "instrukcj", "talimat", "التعليمات", "الأوامر", "निर्देश",
         "ahora eres", "maintenant un", "sprachmodell", "du bist", "tu sei ora"),
        _any(
            r"\b(?:ignorier|missacht|vergiss|vergesst)\w{0,6}(?: \w{1,15}){0,5}? (?:anweisung|instruktion|vorgabe)",
            r"\b(?:oublie|ignore|négligez?|oubliez|ignorez)\w{0,2}(?: \w{1,15}){0,3}? (?:instructions|consignes)"
            r"(?: \w{1,12}){0,2}? (?:précédent|ci-dessus|antérieur|reçu|donné)",
            r"\boubliez? (?:toutes )?(?:tes|vos) (?:instructions|consignes|règles)",
            r"(?:無視|忘れ)[^。]{0,20}(?:指示|命令|プロンプト)",
            r"\b(?:ignora|ignore|olvida|olvide|descarta|desestima)\w{0,3}(?: \w{1,15}){0,3}? "
            r"(?:instrucciones|indicaciones|órdenes)",
            r"\b(?:ignore|ignora|esqueça|desconsidere|ignorem)(?: \w{1,15}){0,3}? instruções",
            r"\b(?:ignora|dimentica|ignorate|dimenticate)(?: \w{1,15}){0,3}? (?:istruzioni|indicazioni)",
            r"\b(?:negeer|vergeet)(?: \w{1,15}){0,4}? (?:instructies|aanwijzingen|opdrachten)",
            r"(?:игнориру|забуд|не обращай|не учитыва)\w{0,6}(?: \w{1,18}){0,4}? (?:инструкци|указани|правил)",
            r"(?:忽略|无视|忽視|無視|忘记|忘掉|不要理会).{0,12}(?:指令|指示|提示|说明|規則|规则)",
            r"(?:以前|上記|上の|これまで|前|すべて|全て)の?.{0,8}(?:指示|命令|プロンプト|ルール).{0,6}(?:無視|忘れ)",
            r"(?:이전|위의|앞의|모든|지금까지).{0,10}(?:지시|명령|프롬프트|규칙).{0,8}(?:무시|잊)",
            r"\b(?:z?ignoruj|zapomnij)(?: \w{1,15}){0,4}? (?:polece|instrukcj)\w{0,4}",
            r"talimat\w{0,8} (?:yok say|unut|göz ardı|görmezden)",
            r"(?:تجاهل|انس)(?: \w{1,15}){0,3}? (?:التعليمات|الأوامر)",
            r"निर्देश\w{0,6}.{0,20}(?:अनदेखा|नज़रअंदाज़|भूल)",
            r"\bdu bist (?:jetzt|nun|ab jetzt|ab sofort) (?:ein|der|mein)\w{0,3}\b|\bahora eres (?:un|el)\w{0,2}\b"
            r"|\bneue anweisung(?:en)? ?:|\bnuevas instrucciones ?:|\bnouvelles (?:instructions|consignes)"
            r" ?:|新的?(?:指令|指示) ?:"
            r"|\bнов(?:ые|ая) инструкци\w ?:|\bnovas instruções ?:|\bnuove istruzioni ?:"
            r"|\b(?:tu es|vous êtes) maintenant une?\b|\bals sprachmodell\b|\btu sei ora un\b",
        ),
    ),
    Sign(
        "it sets letters apart",
        ("ignoreall", "ignoreprev", "ignoreyour", "ignorethe", "previousinstr", "systemprompt", "disregardall",
         "disregardprev", "youarenow"),
        _any(r" \. (?:\w{0,200})(?:ignoreall|ignoreprev|ignoreyour|ignorethe|previousinstr|disregard|youarenow)"),
    ),
)  # fmt: skip
