BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE alerts (
	name VARCHAR NOT NULL, 
	since FLOAT NOT NULL, 
	detail VARCHAR NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "alerts" VALUES('error_rate:github@elsewhere:7:700:a8f3627b',1.79608845984535288806e+09,'github: 3 of 25 requests failed in the last 15 minutes (12%, threshold 5%)');
INSERT INTO "alerts" VALUES('error_rate:shortcut@elsewhere:7:700:a8f3627b',1.79608845984535288806e+09,'shortcut: 5 of 5 requests failed in the last 15 minutes (100%, threshold 5%); its breaker is open');
INSERT INTO "alerts" VALUES('error_rate:api:pager@elsewhere:7:700:a8f3627b',1.79608845984535288806e+09,'api:pager: 6 of 7 requests failed in the last 15 minutes (86%, threshold 5%); its breaker is open');
CREATE TABLE answers (
	id INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	run_id VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	at FLOAT NOT NULL, 
	data JSON, 
	tokens INTEGER NOT NULL, 
	cost FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "answers" VALUES(1,'4566c69ecc2a7bad958717d87a904887035d921e93b808a4b677cb4102c4cf9c','draft','run-20261201T012717-a3ddfd','octo/gadgets#2',1.79608843786376214026e+09,'{"components": [], "risks": ["Those who rely on what there is today: This happens every time, and I would like it to be otherwise."], "questions": ["Who decides what is enough of: Please add a way to sort trays, number 2?"]}',500,0.0);
INSERT INTO "answers" VALUES(2,'e5bde8482e9aa5e56b4eb2140ba833a81112aceb195871bda4e40fc63bfa5542','draft','run-20261201T012717-a3ddfd','octo/gadgets#2',1.79608844015590190883e+09,'{"problem": "This happens every time, and I would like it to be otherwise.", "proposal": "Build what is asked for: Please add a way to sort trays, number 2", "criteria": ["A test shows: Please add a way to sort trays, number 2", "What worked before still works"], "out_of_scope": ["Everything that the issue does not name"]}',450,0.0);
INSERT INTO "answers" VALUES(3,'bfb80ff86e8750e5ffa255c086680264b86336fd8e013148c3a40e82f39ea01d','draft','run-20261201T012734-767158','octo/widgets#3',1.79608845565119242667e+09,'{"title": "The docs lack page 3 on lamps", "markdown": "This happens every time, and I would like it to be otherwise.\n\nThis page explains: The docs lack page 3 on lamps.", "path": ""}',374,0.0);
INSERT INTO "answers" VALUES(4,'a7e0caae85717ae7e9dfd95a31cd815e5ffee930c640a7a6e1c64c851734e183','draft','run-20261201T012750-bca026','octo/widgets#6',1.79608847096931672094e+09,'{"title": "The docs lack page 6 on lamps", "markdown": "This happens every time, and I would like it to be otherwise.\n\nThis page explains: The docs lack page 6 on lamps.", "path": ""}',374,0.0);
INSERT INTO "answers" VALUES(5,'a0c22608ca0f6437a49a23642cc3e4b316c4b7b67e27f737d5457c7e854045ca','draft','run-20261201T012750-bca026','octo/widgets#7',1.7960884732050433159e+09,'{"title": "The docs lack page 7 on lamps", "markdown": "This happens every time, and I would like it to be otherwise.\n\nThis page explains: The docs lack page 7 on lamps.", "path": ""}',374,0.0);
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at FLOAT NOT NULL, 
	actor VARCHAR NOT NULL, 
	via VARCHAR NOT NULL, 
	action VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	detail JSON NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "audit" VALUES(1,1.79608843742222881322e+09,'somebody','cli','run.start','run-20261201T012717-a3ddfd','{}');
INSERT INTO "audit" VALUES(2,1.79608844025560235972e+09,'switchyard','github','add_labels','octo/gadgets#1','{"key": "labels:octo/gadgets#1"}');
INSERT INTO "audit" VALUES(3,1.79608844027684879307e+09,'switchyard','github','add_labels','octo/gadgets#2','{"key": "labels:octo/gadgets#2"}');
INSERT INTO "audit" VALUES(4,1.79608844027846193316e+09,'switchyard','api','pager.page','octo/gadgets#1','{"key": "api:pager:page:octo/gadgets#1"}');
INSERT INTO "audit" VALUES(5,1.79608844028710651396e+09,'switchyard','shortcut','create_story','octo/gadgets#1','{"key": "story:octo/gadgets#1", "id": 191}');
INSERT INTO "audit" VALUES(6,1.79608844028710651396e+09,'switchyard','shortcut','create_story','octo/gadgets#2','{"key": "story:octo/gadgets#2", "id": 194}');
INSERT INTO "audit" VALUES(7,1.79608844037309312814e+09,'switchyard','github','write_comment','octo/gadgets#3','{"key": "comment:octo/gadgets#3", "id": 20000014}');
INSERT INTO "audit" VALUES(8,1796088440.38187,'switchyard','github','write_comment','octo/gadgets#2','{"key": "comment:octo/gadgets#2", "id": 20000013}');
INSERT INTO "audit" VALUES(9,1.79608844038401103014e+09,'switchyard','github','write_comment','octo/gadgets#1','{"key": "comment:octo/gadgets#1", "id": 20000015}');
INSERT INTO "audit" VALUES(10,1.79608844038685369496e+09,'switchyard','github','add_labels','octo/gadgets#3','{"key": "labels:octo/gadgets#3"}');
INSERT INTO "audit" VALUES(11,1.79608844065760588646e+09,'switchyard','slack','post_message','digest:run-20261201T012717-a3ddfd','{"key": "digest:run-20261201T012717-a3ddfd", "id": "1796088440.650929"}');
INSERT INTO "audit" VALUES(12,1.79608844066980767248e+09,'switchyard','webhook','post_event','event:run-20261201T012717-a3ddfd:0','{"key": "event:run-20261201T012717-a3ddfd:0"}');
INSERT INTO "audit" VALUES(13,1.79608844068610191352e+09,'switchyard','slack','post_message','octo/gadgets#3','{"key": "case:octo/gadgets#3", "id": "1796088440.682395"}');
INSERT INTO "audit" VALUES(14,1.79608844973976039885e+09,'somebody','cli','issue.route','octo/gadgets#2','{"before": "feature", "after": "docs"}');
INSERT INTO "audit" VALUES(15,1.79608845485078406339e+09,'somebody','cli','run.start','run-20261201T012734-767158','{}');
INSERT INTO "audit" VALUES(16,1.79608845556272482871e+09,'switchyard','github','write_comment','octo/gadgets#2','{"key": "comment:octo/gadgets#2", "id": 20000013}');
INSERT INTO "audit" VALUES(17,1.79608845556801986699e+09,'switchyard','github','add_labels','octo/gadgets#2','{"key": "labels:octo/gadgets#2"}');
INSERT INTO "audit" VALUES(18,1.79608845563219261167e+09,'switchyard','github','add_labels','octo/widgets#1','{"key": "labels:octo/widgets#1"}');
INSERT INTO "audit" VALUES(19,1.79608845763812041283e+09,'switchyard','github','add_labels','octo/widgets#3','{"key": "labels:octo/widgets#3"}');
INSERT INTO "audit" VALUES(20,1.79608845764731836318e+09,'switchyard','github','add_labels','octo/widgets#4','{"key": "labels:octo/widgets#4"}');
INSERT INTO "audit" VALUES(21,1.79608845766412305831e+09,'switchyard','github','add_labels','octo/widgets#5','{"key": "labels:octo/widgets#5"}');
INSERT INTO "audit" VALUES(22,1.79608847043971633907e+09,'somebody','cli','run.start','run-20261201T012750-bca026','{}');
INSERT INTO "audit" VALUES(23,1.79608847323327922821e+09,'switchyard','github','add_labels','octo/widgets#6','{"key": "labels:octo/widgets#6"}');
CREATE TABLE batches (
	run_id VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	state VARCHAR NOT NULL, 
	owner VARCHAR, 
	refs JSON NOT NULL, 
	counts JSON, 
	PRIMARY KEY (run_id, number)
);
INSERT INTO "batches" VALUES('run-20261201T012717-a3ddfd',0,'done','elsewhere:7:700:45e64ad6','["octo/gadgets#1", "octo/gadgets#2"]','{"unchanged": 0, "triaged": 2, "failed": 0, "routes": {"bug": 1, "feature": 1}, "needs_person": 0, "stories_existing": 0, "stories_new": 2, "github_updates": 2, "pages_new": 0}');
INSERT INTO "batches" VALUES('run-20261201T012717-a3ddfd',1,'done','elsewhere:7:700:45e64ad6','["octo/gadgets#3"]','{"unchanged": 0, "triaged": 1, "failed": 0, "routes": {"needs_human": 1}, "needs_person": 1, "stories_existing": 0, "stories_new": 0, "github_updates": 1, "pages_new": 0}');
INSERT INTO "batches" VALUES('webhook-20261201',0,'done','elsewhere:7:700:a8f3627b','["octo/gadgets#2"]','{"unchanged": 0, "triaged": 1, "failed": 0, "routes": {"docs": 1}, "needs_person": 0, "stories_existing": 1, "stories_new": 0, "github_updates": 1, "pages_new": 0}');
INSERT INTO "batches" VALUES('run-20261201T012734-767158',0,'done','elsewhere:7:700:a8f3627b','["octo/widgets#1", "octo/widgets#2"]','{"unchanged": 0, "triaged": 2, "failed": 0, "routes": {"bug": 2}, "needs_person": 0, "stories_existing": 0, "stories_new": 2, "github_updates": 2, "pages_new": 0}');
INSERT INTO "batches" VALUES('run-20261201T012734-767158',1,'done','elsewhere:7:700:a8f3627b','["octo/widgets#3", "octo/widgets#4"]','{"unchanged": 0, "triaged": 2, "failed": 0, "routes": {"docs": 1, "security": 1}, "needs_person": 0, "stories_existing": 0, "stories_new": 2, "github_updates": 2, "pages_new": 1}');
INSERT INTO "batches" VALUES('run-20261201T012734-767158',2,'done','elsewhere:7:700:a8f3627b','["octo/widgets#5"]','{"unchanged": 0, "triaged": 1, "failed": 0, "routes": {"needs_human": 1}, "needs_person": 1, "stories_existing": 0, "stories_new": 0, "github_updates": 1, "pages_new": 0}');
INSERT INTO "batches" VALUES('run-20261201T012750-bca026',0,'done','elsewhere:7:700:0267344c','["octo/widgets#1", "octo/widgets#2"]','{"unchanged": 2, "triaged": 0, "failed": 0, "routes": {}, "needs_person": 0, "stories_existing": 0, "stories_new": 0, "github_updates": 0, "pages_new": 0}');
INSERT INTO "batches" VALUES('run-20261201T012750-bca026',1,'done','elsewhere:7:700:0267344c','["octo/widgets#3", "octo/widgets#4"]','{"unchanged": 2, "triaged": 0, "failed": 0, "routes": {}, "needs_person": 0, "stories_existing": 0, "stories_new": 0, "github_updates": 0, "pages_new": 0}');
INSERT INTO "batches" VALUES('run-20261201T012750-bca026',2,'done','elsewhere:7:700:0267344c','["octo/widgets#5", "octo/widgets#6"]','{"unchanged": 1, "triaged": 1, "failed": 0, "routes": {"docs": 1}, "needs_person": 0, "stories_existing": 0, "stories_new": 1, "github_updates": 1, "pages_new": 1}');
INSERT INTO "batches" VALUES('run-20261201T012750-bca026',3,'claimed','elsewhere:7:700:0267344c','["octo/widgets#7", "octo/widgets#8"]',NULL);
INSERT INTO "batches" VALUES('run-20261201T012750-bca026',4,'pending',NULL,'["octo/widgets#9", "octo/widgets#10"]',NULL);
CREATE TABLE breakers (
	service VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	opened_at FLOAT, 
	PRIMARY KEY (service)
);
INSERT INTO "breakers" VALUES('email','open',1.79608847402358889574e+09);
INSERT INTO "breakers" VALUES('shortcut','open',1.79608847410834908484e+09);
INSERT INTO "breakers" VALUES('api:pager','open',1796088459.65654);
INSERT INTO "breakers" VALUES('slack','open',1.79608845988560199735e+09);
INSERT INTO "breakers" VALUES('notion','open',1.79608847325991892807e+09);
INSERT INTO "breakers" VALUES('github','closed',1.79608846101944303512e+09);
INSERT INTO "breakers" VALUES('webhook:0','open',1.79608846193663692475e+09);
CREATE TABLE cases (
	"key" VARCHAR NOT NULL, 
	run_id VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	route VARCHAR NOT NULL, 
	content_hash VARCHAR NOT NULL, 
	own_labels JSON NOT NULL, 
	urgency FLOAT NOT NULL, 
	trace_key VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	url VARCHAR NOT NULL, 
	failures INTEGER NOT NULL, 
	error VARCHAR NOT NULL, 
	detail JSON NOT NULL, 
	updated_at FLOAT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "cases" VALUES('octo/gadgets#1','run-20261201T012717-a3ddfd','triaged','bug','ce5146ccb1812e381685b242ad44010f','["bug"]',31.3,'','Crash number 1 when saving a file','https://github.com/octo/gadgets/issues/1',0,'','{"confidence": 1.0, "accepted": true, "by": "rule", "held": false, "told": null, "rules": ["rule \"titles of bug\": pattern ^Crash number \u2192 bug"], "model": "20261120-0000-55cc2d", "probabilities": {"bug": 0.8198, "feature": 0.1398, "docs": 0.0313, "question": 0.009}, "security_score": 0.0517, "security_flag": false, "reasons": [["failures in the title (\u201ccrash\u201d)", 0.597], ["\u201cwhen\u201d in the title", 0.276], ["how much of it is wishing phrases", -0.231], ["\u201clike\u201d", -0.197], ["\u201cevery\u201d", 0.165], ["how much of it is phrases about faults", 0.137], ["wishes in the body (\u201cwould\u201d)", -0.11], ["wishing phrases in the body", -0.079]], "severity": "medium", "evidence": ["crash: \u201ccrash\u201d"], "similar": [], "estimate": 4, "sections": ["Effort"], "questions": ["Which steps, or which smallest piece of code, make it happen?", "Which version do you use, and on which operating system or browser?"], "notes": ["pager: HTTP 404 for GET /teams/{team}/on-call: status 404"], "suspicions": [], "escalation": []}',1.7960884401843557358e+09);
INSERT INTO "cases" VALUES('octo/gadgets#2','webhook-20261201','triaged','docs','8695c3ea9ec18e14581aa2b6da0e6bc6','["enhancement", "documentation"]',0.1,'','Please add a way to sort trays, number 2','https://github.com/octo/gadgets/issues/2',0,'','{"confidence": 1.0, "accepted": true, "by": "person", "held": false, "told": 1, "rules": ["root said docs (cli, 2026-12-01)"], "model": "20261120-0000-55cc2d", "probabilities": {"bug": 0.0311, "feature": 0.9594, "docs": 0.0081, "question": 0.0014}, "security_score": 0.0416, "security_flag": false, "reasons": [["the title starts like a request", 0.592], ["a wish in the title (\u201cadd\u201d)", 0.514], ["how much of it is wishing phrases", 0.425], ["how much of it is phrases about faults", -0.3], ["wishing phrases in the title", 0.281], ["\u201chappens\u201d", -0.191], ["phrases about faults in the beginning", -0.126], ["\u201cplease\u201d in the title", -0.054]], "severity": "low", "evidence": [], "similar": [], "estimate": 1, "sections": [], "questions": [], "notes": ["shortcut: breaker open, next probe at 01:28:35 UTC"], "suspicions": [], "escalation": []}',1.79608845549019336697e+09);
INSERT INTO "cases" VALUES('octo/gadgets#3','run-20261201T012717-a3ddfd','triaged','needs_human','e67cbeead4166db7c49dc272d4079b57','["needs triage"]',0.2,'','How do I use part 3 of this?','https://github.com/octo/gadgets/issues/3',0,'','{"confidence": 1.0, "accepted": true, "by": "rule", "held": false, "told": null, "rules": ["rule \"titles of needs_human\": pattern ^How do I use part \u2192 needs_human"], "model": "20261120-0000-55cc2d", "probabilities": {"bug": 0.0714, "feature": 0.7731, "docs": 0.0631, "question": 0.0924}, "security_score": 0.009, "security_flag": false, "reasons": [["how much of it is phrases about faults", -0.3], ["how much of it is wishing phrases", 0.213], ["\u201clike\u201d", 0.211], ["\u201chappens\u201d", -0.211], ["wishing phrases in the beginning", 0.192], ["wishes in the body (\u201cwould\u201d)", 0.181], ["asking phrases in the title", -0.154], ["phrases about faults in the beginning", -0.126]], "severity": "low", "evidence": [], "similar": [], "estimate": null, "sections": ["Which route?"], "questions": [], "notes": [], "suspicions": [], "escalation": []}',1.79608844031622576706e+09);
INSERT INTO "cases" VALUES('octo/widgets#1','run-20261201T012734-767158','triaged','bug','ce5146ccb1812e381685b242ad44010f','["bug"]',31.3,'','Crash number 1 when saving a file','https://github.com/octo/widgets/issues/1',0,'','{"confidence": 1.0, "accepted": true, "by": "rule", "held": false, "told": null, "rules": ["rule \"titles of bug\": pattern ^Crash number \u2192 bug"], "model": "20261120-0000-55cc2d", "probabilities": {"bug": 0.8198, "feature": 0.1398, "docs": 0.0313, "question": 0.009}, "security_score": 0.0517, "security_flag": false, "reasons": [["failures in the title (\u201ccrash\u201d)", 0.597], ["\u201cwhen\u201d in the title", 0.276], ["how much of it is wishing phrases", -0.231], ["\u201clike\u201d", -0.197], ["\u201cevery\u201d", 0.165], ["how much of it is phrases about faults", 0.137], ["wishes in the body (\u201cwould\u201d)", -0.11], ["wishing phrases in the body", -0.079]], "severity": "medium", "evidence": ["crash: \u201ccrash\u201d"], "similar": [["octo/gadgets#1", "https://github.com/octo/gadgets/issues/1", "related, in another repository"]], "estimate": 3, "sections": ["Effort"], "questions": ["Which steps, or which smallest piece of code, make it happen?", "Which version do you use, and on which operating system or browser?"], "notes": ["shortcut: breaker open, next probe at 01:28:35 UTC", "pager: HTTP 404 for GET /teams/{team}/on-call: status 404"], "suspicions": [], "escalation": []}',1.79608845558516907687e+09);
INSERT INTO "cases" VALUES('octo/widgets#2','run-20261201T012734-767158','triaged','bug','9505d00560bdd7f3372efe83cafdb3b8','["bug"]',31.3,'','Crash number 2 when saving a file','https://github.com/octo/widgets/issues/2',0,'','{"confidence": 1.0, "accepted": true, "by": "rule", "held": false, "told": null, "rules": ["rule \"titles of bug\": pattern ^Crash number \u2192 bug"], "model": "20261120-0000-55cc2d", "probabilities": {"bug": 0.8221, "feature": 0.1379, "docs": 0.031, "question": 0.009}, "security_score": 0.0535, "security_flag": false, "reasons": [["failures in the title (\u201ccrash\u201d)", 0.597], ["\u201cwhen\u201d in the title", 0.276], ["how much of it is wishing phrases", -0.231], ["\u201clike\u201d", -0.197], ["\u201cevery\u201d", 0.165], ["how much of it is phrases about faults", 0.137], ["wishes in the body (\u201cwould\u201d)", -0.11], ["wishing phrases in the body", -0.079]], "severity": "medium", "evidence": ["crash: \u201ccrash\u201d"], "similar": [["octo/widgets#1", "https://github.com/octo/widgets/issues/1", "the same title"]], "estimate": 3, "sections": ["Effort"], "questions": ["Which steps, or which smallest piece of code, make it happen?", "Which version do you use, and on which operating system or browser?"], "notes": ["shortcut: breaker open, next probe at 01:28:35 UTC", "pager: HTTP 404 for GET /teams/{team}/on-call: status 404"], "suspicions": [], "escalation": []}',1.79608845558516907687e+09);
INSERT INTO "cases" VALUES('octo/widgets#3','run-20261201T012734-767158','triaged','docs','af3481f831ddea3c6f28d93333c67fa7','["documentation"]',0.2,'','The docs lack page 3 on lamps','https://github.com/octo/widgets/issues/3',0,'','{"confidence": 1.0, "accepted": true, "by": "rule", "held": false, "told": null, "rules": ["rule \"titles of docs\": pattern ^The docs lack page \u2192 docs"], "model": "20261120-0000-55cc2d", "probabilities": {"bug": 0.0225, "feature": 0.0155, "docs": 0.9616, "question": 0.0004}, "security_score": 0.0072, "security_flag": false, "reasons": [["documents in the title (\u201cdocs\u201d)", 1.704], ["documents, and no failure, in the title", 0.768], ["pages in the title (\u201cpage\u201d)", 0.6], ["how much of it is phrases about faults", 0.391], ["phrases about faults in the beginning", -0.144], ["phrases about faults in the body", -0.128], ["wishing phrases in the beginning", -0.119], ["\u201cevery\u201d", -0.111]], "severity": "low", "evidence": [], "similar": [], "estimate": 1, "sections": ["Documentation", "Draft of the page", "Page in Notion"], "questions": [], "notes": ["shortcut: breaker open, next probe at 01:28:35 UTC"], "suspicions": [], "escalation": []}',1.79608845756869387627e+09);
INSERT INTO "cases" VALUES('octo/widgets#4','run-20261201T012734-767158','triaged','security','db8f1b264d547074dbd1f9fc836e8aba','["needs review"]',63.2,'','SQL injection number 4 in the search','https://github.com/octo/widgets/issues/4',0,'','{"confidence": 1.0, "accepted": true, "by": "rule", "held": false, "told": null, "rules": ["rule \"titles of security\": pattern ^SQL injection number \u2192 security"], "model": "20261120-0000-55cc2d", "probabilities": {"bug": 0.5671, "feature": 0.3621, "docs": 0.0658, "question": 0.005}, "security_score": 0.7403, "security_flag": true, "reasons": [["security in the title (\u201cinjection\u201d)", 0.278], ["how much of it is wishing phrases", -0.231], ["\u201clike\u201d", -0.197], ["\u201cevery\u201d", 0.165], ["phrases about security in the body", 0.142], ["\u201csearch\u201d in the title", -0.137], ["how much of it is phrases about faults", 0.137], ["wishes in the body (\u201cwould\u201d)", -0.11]], "severity": "high", "evidence": ["security: \u201csql injection\u201d"], "similar": [], "estimate": 3, "sections": ["Security audit", "Vulnerability report"], "questions": [], "notes": ["shortcut: breaker open, next probe at 01:28:35 UTC"], "suspicions": [], "escalation": ["severity high, by the kind of weakness alone; not confirmed yet", "kind: SQL injection", "why: rule \"titles of security\": pattern ^SQL injection number \u2192 security"]}',1.79608845756869387627e+09);
INSERT INTO "cases" VALUES('octo/widgets#5','run-20261201T012734-767158','triaged','needs_human','c6403b1f8b4e70cb8a3068af9ab606f9','["needs triage"]',0.2,'','How do I use part 5 of this?','https://github.com/octo/widgets/issues/5',0,'','{"confidence": 1.0, "accepted": true, "by": "rule", "held": false, "told": null, "rules": ["rule \"titles of needs_human\": pattern ^How do I use part \u2192 needs_human"], "model": "20261120-0000-55cc2d", "probabilities": {"bug": 0.0752, "feature": 0.7681, "docs": 0.0629, "question": 0.0938}, "security_score": 0.0091, "security_flag": false, "reasons": [["how much of it is phrases about faults", -0.3], ["how much of it is wishing phrases", 0.213], ["\u201clike\u201d", 0.211], ["\u201chappens\u201d", -0.211], ["wishing phrases in the beginning", 0.192], ["wishes in the body (\u201cwould\u201d)", 0.181], ["asking phrases in the title", -0.154], ["phrases about faults in the beginning", -0.126]], "severity": "low", "evidence": [], "similar": [["octo/gadgets#3", "https://github.com/octo/gadgets/issues/3", "related, in another repository"]], "estimate": null, "sections": ["Which route?"], "questions": [], "notes": [], "suspicions": [], "escalation": []}',1.79608845762627720834e+09);
INSERT INTO "cases" VALUES('octo/widgets#6','run-20261201T012750-bca026','triaged','docs','bd44b2204e488f9f7d8718d2847fea2a','["documentation"]',0.2,'','The docs lack page 6 on lamps','https://github.com/octo/widgets/issues/6',0,'','{"confidence": 1.0, "accepted": true, "by": "rule", "held": false, "told": null, "rules": ["rule \"titles of docs\": pattern ^The docs lack page \u2192 docs"], "model": "20261120-0000-55cc2d", "probabilities": {"bug": 0.0231, "feature": 0.0163, "docs": 0.9603, "question": 0.0004}, "security_score": 0.0072, "security_flag": false, "reasons": [["documents in the title (\u201cdocs\u201d)", 1.704], ["documents, and no failure, in the title", 0.768], ["pages in the title (\u201cpage\u201d)", 0.6], ["how much of it is phrases about faults", 0.391], ["phrases about faults in the beginning", -0.144], ["phrases about faults in the body", -0.128], ["wishing phrases in the beginning", -0.119], ["\u201cevery\u201d", -0.111]], "severity": "low", "evidence": [], "similar": [["octo/widgets#3", "https://github.com/octo/widgets/issues/3", "the same title"]], "estimate": 1, "sections": ["Documentation", "Draft of the page", "Page in Notion"], "questions": [], "notes": ["shortcut: breaker open, next probe at 01:27:54 UTC"], "suspicions": [], "escalation": []}',1.7960884731343533993e+09);
CREATE TABLE commands (
	"key" VARCHAR NOT NULL, 
	target VARCHAR NOT NULL, 
	lane VARCHAR NOT NULL, 
	operation VARCHAR NOT NULL, 
	issue VARCHAR, 
	run_id VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	payload JSON NOT NULL, 
	payload_hash VARCHAR NOT NULL, 
	"after" JSON NOT NULL, 
	attempts INTEGER NOT NULL, 
	failures INTEGER NOT NULL, 
	created_at FLOAT NOT NULL, 
	next_attempt_at FLOAT NOT NULL, 
	maybe_sent_at FLOAT, 
	sent_at FLOAT, 
	last_error VARCHAR, 
	answer JSON, 
	PRIMARY KEY ("key")
);
INSERT INTO "commands" VALUES('story:octo/gadgets#1','shortcut','shortcut','create_story','octo/gadgets#1','run-20261201T012717-a3ddfd','sent','{"name": "Crash number 1 when saving a file", "description": "**[octo/gadgets#1](https://github.com/octo/gadgets/issues/1)** by `ann`, 1 October 2026  \nRoute: **bug** (rule \"titles of bug\": pattern ^Crash number \u2192 bug)  \nSeverity: **medium** (impact 31 of 100), crash: \u201ccrash\u201d\n\n## Effort\n\n**4 points** (between 2 and 4): no steps and no trace to start from.\n\n## Asked of the reporter\n\n- Which steps, or which smallest piece of code, make it happen?\n- Which version do you use, and on which operating system or browser?\n\n## From the issue\n\n> This happens every time, and I would like it to be otherwise.", "story_type": "bug", "labels": ["bug", "severity: medium"], "external_link": "https://github.com/octo/gadgets/issues/1", "estimate": 4, "route": "bug"}','b033f68c9604469ef373e37f04c9c245','[]',0,0,1.7960884401843557358e+09,1.79608844028710651396e+09,NULL,1.79608844028710651396e+09,NULL,'{"id": 191, "url": "https://app.shortcut.com/switchyard-sandbox/story/191", "existing": false, "state": 500000001, "epic": null, "labels": ["bug", "severity: medium"]}');
INSERT INTO "commands" VALUES('api:pager:page:octo/gadgets#1','api','api:pager','pager.page','octo/gadgets#1','run-20261201T012717-a3ddfd','sent','{"service": "pager", "operation": "page", "values": {"title": "octo/gadgets#1"}}','537b35d4f34d652763b2348ab0242c24','[]',0,0,1.7960884401843557358e+09,1.79608844027846193316e+09,NULL,1.79608844027846193316e+09,NULL,'{"status": 201}');
INSERT INTO "commands" VALUES('labels:octo/gadgets#1','github','github','add_labels','octo/gadgets#1','run-20261201T012717-a3ddfd','sent','{"labels": ["bug"]}','4623443741f44e5513d9e4094e36de5f','[]',0,0,1.7960884401843557358e+09,1.79608844025560235972e+09,NULL,1.79608844025560235972e+09,NULL,'{"labels": ["bug"], "off": {}}');
INSERT INTO "commands" VALUES('comment:octo/gadgets#1','github','github','write_comment','octo/gadgets#1','run-20261201T012717-a3ddfd','sent','{"body": "<!-- switchyard:octo/gadgets#1 -->\n\nThank you for the report. It was routed as a **bug** and is in the team''s queue.\n\nTo look into this, it would help to know:\n\n- Which steps, or which smallest piece of code, make it happen?\n- Which version do you use, and on which operating system or browser?", "with_story": true}','747c94064c01567d27357a894707194b','["story:octo/gadgets#1"]',0,0,1.7960884401843557358e+09,1.79608844038401103014e+09,NULL,1.79608844038401103014e+09,NULL,'{"comment_id": 20000015, "url": "https://github.com/octo/gadgets/issues/1#issuecomment-20000015"}');
INSERT INTO "commands" VALUES('story:octo/gadgets#2','shortcut','shortcut','create_story','octo/gadgets#2','run-20261201T012717-a3ddfd','sent','{"name": "Please add a way to sort trays, number 2", "description": "**[octo/gadgets#2](https://github.com/octo/gadgets/issues/2)** by `ann`, 2 October 2026  \nRoute: **feature** (rule \"titles of feature\": pattern ^Please add a way to sort trays, number \u2192 feature)\n\n## Effort\n\n**4 points** (between 2 and 4): the usual size of a wish.\n\n## Priority\n\n**5 of 100** = reach 1 x impact 1.5 x confidence 40% / effort 4\n\n- Reach: nobody else has spoken yet\n- Impact: it costs people time again and again (\u201cevery time\u201d)\n- Confidence: hardly described\n\n## Design, drafted\n\n*Draft by `openai:sandbox`; nobody has checked it.*\n\n**Risks**\n\n- Those who rely on what there is today: This happens every time, and I would like it to be otherwise.\n\n**Open questions**\n\n- Who decides what is enough of: Please add a way to sort trays, number 2?\n\n## Specification\n\n**Proposal**\n\nThis happens every time, and I would like it to be otherwise.\n\n## Specification, drafted\n\n*Draft by `openai:sandbox`; nobody has checked it.*\n\n**Problem**\n\nThis happens every time, and I would like it to be otherwise.\n\n**Proposal**\n\nBuild what is asked for: Please add a way to sort trays, number 2\n\n**Acceptance criteria**\n\n- A test shows: Please add a way to sort trays, number 2\n- What worked before still works\n\n**Out of scope**\n\n- Everything that the issue does not name\n\n## From the issue\n\n> This happens every time, and I would like it to be otherwise.", "story_type": "feature", "labels": ["feature"], "external_link": "https://github.com/octo/gadgets/issues/2", "estimate": 4, "route": "feature"}','c3ad585cec7ec7738ba224826d41b439','[]',0,0,1.7960884401843557358e+09,1.79608844028710651396e+09,NULL,1.79608844028710651396e+09,NULL,'{"id": 194, "url": "https://app.shortcut.com/switchyard-sandbox/story/194", "existing": false, "state": 500000001, "epic": null, "labels": ["feature"]}');
INSERT INTO "commands" VALUES('labels:octo/gadgets#2','github','github','add_labels','octo/gadgets#2','webhook-20261201','sent','{"labels": ["documentation"]}','0c3291801780ec2fb4f8c0c755c0f2c7','[]',0,0,1.7960884401843557358e+09,1.79608845556801986699e+09,NULL,1.79608845556801986699e+09,NULL,'{"labels": ["documentation"], "off": {"enhancement": 1796088455.0}}');
INSERT INTO "commands" VALUES('comment:octo/gadgets#2','github','github','write_comment','octo/gadgets#2','webhook-20261201','sent','{"body": "<!-- switchyard:octo/gadgets#2 -->\n\nThank you for pointing this out. It was routed to the **documentation**.", "with_story": true}','1e4797324521404e65a96054bbd58269','["story:octo/gadgets#2"]',0,0,1.7960884401843557358e+09,1.79608845556272482871e+09,NULL,1.79608845556272482871e+09,NULL,'{"comment_id": 20000013, "url": "https://github.com/octo/gadgets/issues/2#issuecomment-20000013"}');
INSERT INTO "commands" VALUES('labels:octo/gadgets#3','github','github','add_labels','octo/gadgets#3','run-20261201T012717-a3ddfd','sent','{"labels": ["needs triage"]}','029794fe69363faf74319e4292d3902a','[]',0,0,1.79608844031622576706e+09,1.79608844038685369496e+09,NULL,1.79608844038685369496e+09,NULL,'{"labels": ["needs triage"], "off": {}}');
INSERT INTO "commands" VALUES('comment:octo/gadgets#3','github','github','write_comment','octo/gadgets#3','run-20261201T012717-a3ddfd','sent','{"body": "<!-- switchyard:octo/gadgets#3 -->\n\nThank you. A person will look at this and decide where it goes.", "with_story": false}','ebb7b964ff6142720b03c755ef64c9d6','[]',0,0,1.79608844031622576706e+09,1.79608844037309312814e+09,NULL,1.79608844037309312814e+09,NULL,'{"comment_id": 20000014, "url": "https://github.com/octo/gadgets/issues/3#issuecomment-20000014"}');
INSERT INTO "commands" VALUES('mail:run-20261201T012717-a3ddfd:team@example.com','email','email','send_mail',NULL,'run-20261201T012717-a3ddfd','pending','{"to":"team@example.com","subject":"[triage] 3 issues triaged, 1 needs a person","text":"3 issues triaged\n================\n3 issues triaged and everything is delivered.\n\n      1  bug\n      1  feature\n      1  needs a person\n\nStories: 2 created\nGitHub: 3 issues updated\n\nMost urgent\n-----------\n* octo/gadgets#1 Crash number 1 when saving a file (medium)\n  https://github.com/octo/gadgets/issues/1\n  https://app.shortcut.com/switchyard-sandbox/story/191\n* octo/gadgets#3 How do I use part 3 of this? (low)\n  https://github.com/octo/gadgets/issues/3\n* octo/gadgets#2 Please add a way to sort trays, number 2 (low)\n  https://github.com/octo/gadgets/issues/2\n  https://app.shortcut.com/switchyard-sandbox/story/194\n\nNeed a person (1)\n-----------------\n* octo/gadgets#3 How do I use part 3 of this? (likely feature 77% or question 9%)\n  for feature: how much of it is wishing phrases, \u201clike\u201d\n  against: how much of it is phrases about faults, \u201chappens\u201d\n  https://github.com/octo/gadgets/issues/3\n\nNext\n----\n* Route the 1 issue that needs a person: put the right label on the issue, or use `switchyard issue route`.\n\n-- \nRun run-20261201T012717-a3ddfd.\nIts report: reports/run-20261201T012717-a3ddfd.html where `switchyard serve` answers.\nSent by Switchyard; nobody reads answers to it. Who is told what stands in the configuration under integrations.email.recipients.\n","html":"<p>As text.</p>"}','f366d6e51a343e2c0a76e9a64be26583','[]',5,0,1.79608844046183490751e+09,1.79608850491151285171e+09,NULL,NULL,'email: breaker open, next probe at 01:28:24 UTC',NULL);
INSERT INTO "commands" VALUES('digest:run-20261201T012717-a3ddfd','slack','slack','post_message',NULL,'run-20261201T012717-a3ddfd','sent','{"channel": "", "text": "Triage: 3 issues. :beetle: bugs 1  \u00b7  :seedling: features 1  \u00b7  :raising_hand: need a person 1", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Triage: 3 issues", "emoji": true}}, {"type": "section", "text": {"type": "mrkdwn", "text": ":beetle: bugs *1*  \u00b7  :seedling: features *1*  \u00b7  :raising_hand: need a person *1*", "verbatim": true}}, {"type": "section", "text": {"type": "mrkdwn", "text": "2 stories created", "verbatim": true}}, {"type": "section", "text": {"type": "mrkdwn", "text": "*Most urgent*\n\u2022 <https://github.com/octo/gadgets/issues/1|octo/gadgets#1> Crash number 1 when saving a file (medium) \u00b7 <https://app.shortcut.com/switchyard-sandbox/story/191|story>\n\u2022 <https://github.com/octo/gadgets/issues/3|octo/gadgets#3> How do I use part 3 of this? (low)\n\u2022 <https://github.com/octo/gadgets/issues/2|octo/gadgets#2> Please add a way to sort trays, number 2 (low) \u00b7 <https://app.shortcut.com/switchyard-sandbox/story/194|story>", "verbatim": true}}, {"type": "section", "text": {"type": "mrkdwn", "text": "*1 needs a person*: most urgent first in the thread", "verbatim": true}}, {"type": "context", "elements": [{"type": "mrkdwn", "text": "run `run-20261201T012717-a3ddfd` \u00b7 triage", "verbatim": true}]}]}','314e4ca9ec639f0073034521f71c1b43','[]',0,0,1.79608844060123324388e+09,1.79608844065760588646e+09,NULL,1.79608844065760588646e+09,NULL,'{"channel": "C0BA3C2CF2", "ts": "1796088440.650929"}');
INSERT INTO "commands" VALUES('case:octo/gadgets#3','slack','slack','post_message','octo/gadgets#3','run-20261201T012717-a3ddfd','sent','{"channel": "", "text": "octo/gadgets#3 needs a person: How do I use part 3 of this?", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": ":raising_hand: *<https://github.com/octo/gadgets/issues/3|octo/gadgets#3>* How do I use part 3 of this?\n*low* \u00b7 urgency 0\nlikely feature 77% or question 9% (how much of it is wishing phrases, \u201clike\u201d; against: how much of it is phrases about faults)", "verbatim": true}}, {"type": "actions", "block_id": "case:octo/gadgets#3", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Feature 77%", "emoji": true}, "action_id": "switchyard:route:feature", "value": "octo/gadgets#3", "style": "primary"}, {"type": "button", "text": {"type": "plain_text", "text": "Question 9%", "emoji": true}, "action_id": "switchyard:route:question", "value": "octo/gadgets#3"}, {"type": "static_select", "action_id": "switchyard:other", "placeholder": {"type": "plain_text", "text": "Other\u2026", "emoji": true}, "options": [{"text": {"type": "plain_text", "text": "Bug", "emoji": true}, "value": "bug"}, {"text": {"type": "plain_text", "text": "Feature", "emoji": true}, "value": "feature"}, {"text": {"type": "plain_text", "text": "Docs", "emoji": true}, "value": "docs"}, {"text": {"type": "plain_text", "text": "Question", "emoji": true}, "value": "question"}, {"text": {"type": "plain_text", "text": "Security", "emoji": true}, "value": "security"}]}, {"type": "button", "text": {"type": "plain_text", "text": "Why", "emoji": true}, "action_id": "switchyard:why", "value": "octo/gadgets#3"}, {"type": "button", "text": {"type": "plain_text", "text": "Snooze", "emoji": true}, "action_id": "switchyard:snooze", "value": "octo/gadgets#3"}, {"type": "button", "text": {"type": "plain_text", "text": "Not for us", "emoji": true}, "action_id": "switchyard:ignore", "value": "octo/gadgets#3"}]}], "thread_of": "digest:run-20261201T012717-a3ddfd"}','914e519291c764ae847c1961ba601368','["digest:run-20261201T012717-a3ddfd"]',0,0,1.79608844060123324388e+09,1.79608844068610191352e+09,NULL,1.79608844068610191352e+09,NULL,'{"channel": "C0BA3C2CF2", "ts": "1796088440.682395", "thread": "1796088440.650929"}');
INSERT INTO "commands" VALUES('event:run-20261201T012717-a3ddfd:0','webhook','webhook:0','post_event',NULL,'run-20261201T012717-a3ddfd','sent','{"hook": {"id": "5573cb1fe811d6ea"}, "event": {"type": "run.finished", "timestamp": "2026-12-01T01:27:20Z", "data": {"run_id": "run-20261201T012717-a3ddfd", "status": "completed", "name": "triage", "trigger": "cli", "started_at": "2026-12-01T01:27:17Z", "fetched": 3, "triaged": 3, "failed": 0, "routes": {"bug": 1, "feature": 1, "needs_human": 1}, "stories": {"created": 2, "existing": 0, "queued": 0, "dead": 0}, "github": {"updated": 3, "queued": 0, "dead": 0}, "duration_seconds": 3.038}}}','1cbdd94ad192bcfeacc3496eacef2a0a','[]',0,0,1.79608844060123324388e+09,1.79608844066980767248e+09,NULL,1.79608844066980767248e+09,NULL,'{"status": 200}');
INSERT INTO "commands" VALUES('move:octo/gadgets#2','shortcut','shortcut','move_story','octo/gadgets#2','webhook-20261201','pending','{"route": "docs", "story_type": "chore", "label": "docs", "instead_of": ["bug", "feature", "question", "security", "needs triage"]}','bb88f441bd1161e75a25bea12ea2b41e','["story:octo/gadgets#2"]',0,0,1.79608845549019336697e+09,1.79608851531001877783e+09,NULL,NULL,'shortcut: breaker open, next probe at 01:28:35 UTC',NULL);
INSERT INTO "commands" VALUES('story:octo/widgets#1','shortcut','shortcut','create_story','octo/widgets#1','run-20261201T012734-767158','pending','{"name": "Crash number 1 when saving a file", "description": "**[octo/widgets#1](https://github.com/octo/widgets/issues/1)** by `ann`, 1 October 2026  \nRoute: **bug** (rule \"titles of bug\": pattern ^Crash number \u2192 bug)  \nSeverity: **medium** (impact 31 of 100), crash: \u201ccrash\u201d\n\n## Effort\n\n**3 points** (between 2 and 5): no steps and no trace to start from.\n\n## Possibly the same\n\n- [octo/gadgets#1: Crash number 1 when saving a file](https://github.com/octo/gadgets/issues/1), 60% alike (related, in another repository)\n\n## Asked of the reporter\n\n- Which steps, or which smallest piece of code, make it happen?\n- Which version do you use, and on which operating system or browser?\n\n## From the issue\n\n> This happens every time, and I would like it to be otherwise.", "story_type": "bug", "labels": ["bug", "severity: medium"], "external_link": "https://github.com/octo/widgets/issues/1", "estimate": 3, "route": "bug"}','4a9954de1a5b87c983e1361c3cc7c256','[]',0,0,1.79608845558516907687e+09,1.79608847407710957525e+09,1.79608847410182356839e+09,NULL,'shortcut: breaker open, next probe at 01:27:54 UTC',NULL);
INSERT INTO "commands" VALUES('api:pager:page:octo/widgets#1','api','api:pager','pager.page','octo/widgets#1','run-20261201T012734-767158','pending','{"service": "pager", "operation": "page", "values": {"title": "octo/widgets#1"}}','7db671114e63257d23719346998861b7','[]',3,0,1.79608845558516907687e+09,1.79608851965654110912e+09,1.79608846166230583189e+09,NULL,'api:pager: breaker open, next probe at 01:28:39 UTC',NULL);
INSERT INTO "commands" VALUES('labels:octo/widgets#1','github','github','add_labels','octo/widgets#1','run-20261201T012734-767158','sent','{"labels": ["bug"]}','4623443741f44e5513d9e4094e36de5f','[]',0,0,1.79608845558516907687e+09,1.79608845563219261167e+09,NULL,1.79608845563219261167e+09,NULL,'{"labels": ["bug"], "off": {}}');
INSERT INTO "commands" VALUES('comment:octo/widgets#1','github','github','write_comment','octo/widgets#1','run-20261201T012734-767158','pending','{"body": "<!-- switchyard:octo/widgets#1 -->\n\nThank you for the report. It was routed as a **bug** and is in the team''s queue.\n\nTo look into this, it would help to know:\n\n- Which steps, or which smallest piece of code, make it happen?\n- Which version do you use, and on which operating system or browser?", "with_story": true}','f1ce504e49fd4f6290a60fc146c1296d','["story:octo/widgets#1"]',0,0,1.79608845558516907687e+09,4000000000.0,NULL,NULL,NULL,NULL);
INSERT INTO "commands" VALUES('story:octo/widgets#2','shortcut','shortcut','create_story','octo/widgets#2','run-20261201T012734-767158','pending','{"name": "Crash number 2 when saving a file", "description": "**[octo/widgets#2](https://github.com/octo/widgets/issues/2)** by `ann`, 2 October 2026  \nRoute: **bug** (rule \"titles of bug\": pattern ^Crash number \u2192 bug)  \nSeverity: **medium** (impact 31 of 100), crash: \u201ccrash\u201d\n\n## Effort\n\n**3 points** (between 2 and 5): no steps and no trace to start from.\n\n## Possibly the same\n\n- [octo/widgets#1: Crash number 1 when saving a file](https://github.com/octo/widgets/issues/1), 100% alike (the same title)\n\n## Asked of the reporter\n\n- Which steps, or which smallest piece of code, make it happen?\n- Which version do you use, and on which operating system or browser?\n\n## From the issue\n\n> This happens every time, and I would like it to be otherwise.", "story_type": "bug", "labels": ["bug", "severity: medium"], "external_link": "https://github.com/octo/widgets/issues/2", "estimate": 3, "route": "bug"}','360e11ccd1a48badec773a609729269f','[]',0,0,1.79608845558516907687e+09,1.79608847407710957525e+09,1.79608847410182356839e+09,NULL,'shortcut: breaker open, next probe at 01:27:54 UTC',NULL);
INSERT INTO "commands" VALUES('api:pager:page:octo/widgets#2','api','api:pager','pager.page','octo/widgets#2','run-20261201T012734-767158','pending','{"service": "pager", "operation": "page", "values": {"title": "octo/widgets#2"}}','662b7f67b2f0beef212061688bf9753a','[]',3,0,1.79608845558516907687e+09,1.79608851965654110912e+09,1.79608846169482517241e+09,NULL,'api:pager: breaker open, next probe at 01:28:39 UTC',NULL);
INSERT INTO "commands" VALUES('labels:octo/widgets#2','github','github','add_labels','octo/widgets#2','run-20261201T012734-767158','dead','{"labels": ["bug"]}','4623443741f44e5513d9e4094e36de5f','[]',1,1,1.79608845558516907687e+09,1.79608845562616968151e+09,NULL,NULL,'github: Error for /repos/octo/widgets/issues/2/labels',NULL);
INSERT INTO "commands" VALUES('comment:octo/widgets#2','github','github','write_comment','octo/widgets#2','run-20261201T012734-767158','pending','{"body": "<!-- switchyard:octo/widgets#2 -->\n\nThank you for the report. It was routed as a **bug** and is in the team''s queue.\n\nThis may be the same as #1. If it is not, please say what differs.\n\nTo look into this, it would help to know:\n\n- Which steps, or which smallest piece of code, make it happen?\n- Which version do you use, and on which operating system or browser?", "with_story": true}','6530b876ee576734657d040ac404f841','["story:octo/widgets#2"]',0,0,1.79608845558516907687e+09,4000000000.0,NULL,NULL,NULL,NULL);
INSERT INTO "commands" VALUES('page:octo/widgets#3','notion','notion','publish_page','octo/widgets#3','run-20261201T012734-767158','pending','{"title": "The docs lack page 3 on lamps", "markdown": "> **Draft** by Switchyard for [octo/widgets#3](https://github.com/octo/widgets/issues/3). Nobody has checked it. Edit it as you like: it is not written again.\n\n## Documentation\n\nKind of slip: **missing**\n\n---\n\n# The docs lack page 3 on lamps\n\n*Draft by `openai:sandbox`; nobody has checked it.*\n\nThis happens every time, and I would like it to be otherwise.\n\nThis page explains: The docs lack page 3 on lamps."}','acdd6440b5751236bb00bb37d8985749','[]',1,0,1.79608845756869387627e+09,1.79608852095513057706e+09,1.79608845764854836461e+09,NULL,'notion: breaker open, next probe at 01:28:40 UTC',NULL);
INSERT INTO "commands" VALUES('story:octo/widgets#3','shortcut','shortcut','create_story','octo/widgets#3','run-20261201T012734-767158','pending','{"name": "The docs lack page 3 on lamps", "description": "**[octo/widgets#3](https://github.com/octo/widgets/issues/3)** by `ann`, 3 October 2026  \nRoute: **documentation** (rule \"titles of docs\": pattern ^The docs lack page \u2192 docs)\n\n## Documentation\n\nKind of slip: **missing**\n\n## Draft of the page\n\n*Draft by `openai:sandbox`; nobody has checked it.*\n\n**The docs lack page 3 on lamps**\n\nThis happens every time, and I would like it to be otherwise.\n\nThis page explains: The docs lack page 3 on lamps.\n\n## Page in Notion\n\nThe draft is put on a page in Notion that has the issue''s title.\n\n## From the issue\n\n> This happens every time, and I would like it to be otherwise.", "story_type": "chore", "labels": ["docs"], "external_link": "https://github.com/octo/widgets/issues/3", "estimate": 1, "route": "docs"}','d0f48f4405005d7a5fe3c670e02314d6','[]',0,0,1.79608845756869387627e+09,1.79608847407710957525e+09,1.79608847410182356839e+09,NULL,'shortcut: breaker open, next probe at 01:27:54 UTC',NULL);
INSERT INTO "commands" VALUES('labels:octo/widgets#3','github','github','add_labels','octo/widgets#3','run-20261201T012734-767158','sent','{"labels": ["documentation"]}','0c3291801780ec2fb4f8c0c755c0f2c7','[]',0,0,1.79608845756869387627e+09,1.79608845763812041283e+09,NULL,1.79608845763812041283e+09,NULL,'{"labels": ["documentation"], "off": {}}');
INSERT INTO "commands" VALUES('comment:octo/widgets#3','github','github','write_comment','octo/widgets#3','run-20261201T012734-767158','pending','{"body": "<!-- switchyard:octo/widgets#3 -->\n\nThank you for pointing this out. It was routed to the **documentation**.", "with_story": true}','74ba78dcbe375c1171e0490dcdb95c8b','["story:octo/widgets#3"]',0,0,1.79608845756869387627e+09,4000000000.0,NULL,NULL,NULL,NULL);
INSERT INTO "commands" VALUES('story:octo/widgets#4','shortcut','shortcut','create_story','octo/widgets#4','run-20261201T012734-767158','pending','{"name": "SQL injection number 4 in the search", "description": "**[octo/widgets#4](https://github.com/octo/widgets/issues/4)** by `ann`, 4 October 2026  \nRoute: **security** (rule \"titles of security\": pattern ^SQL injection number \u2192 security)  \nSeverity: **high** (impact 48 of 100), security: \u201csql injection\u201d\n\n## Security audit\n\n- Kind of weakness: SQL injection ([CWE-89](https://cwe.mitre.org/data/definitions/89.html))\n\n## Vulnerability report\n\n**Severity**\n\nhigh, by the kind of weakness alone; not confirmed yet\n\n**Evidence**\n\n- \u201cSQL injection number 4 in the search\u201d\n\n**Next steps**\n\n1. Bind parameters instead of building the query text; check the other queries of the same module.\n\n## From the issue\n\n> This happens every time, and I would like it to be otherwise.", "story_type": "bug", "labels": ["security", "severity: high"], "external_link": "https://github.com/octo/widgets/issues/4", "estimate": 3, "route": "security"}','af4294490d62b38f7f65809bcb516ba6','[]',0,0,1.79608845756869387627e+09,1.79608847407710957525e+09,1.79608847410182356839e+09,NULL,'shortcut: breaker open, next probe at 01:27:54 UTC',NULL);
INSERT INTO "commands" VALUES('labels:octo/widgets#4','github','github','add_labels','octo/widgets#4','run-20261201T012734-767158','sent','{"labels": ["needs review"]}','5c87bd39c104128300ddfbe901e61f5e','[]',0,0,1.79608845756869387627e+09,1.79608845764731836318e+09,NULL,1.79608845764731836318e+09,NULL,'{"labels": ["needs review"], "off": {}}');
INSERT INTO "commands" VALUES('comment:octo/widgets#4','github','github','write_comment','octo/widgets#4','run-20261201T012734-767158','pending','{"body": "<!-- switchyard:octo/widgets#4 -->\n\nThank you. This was routed for review.", "with_story": true}','390ca724dd66449eb44c9fa614374e7a','["story:octo/widgets#4"]',0,0,1.79608845756869387627e+09,4000000000.0,NULL,NULL,NULL,NULL);
INSERT INTO "commands" VALUES('labels:octo/widgets#5','github','github','add_labels','octo/widgets#5','run-20261201T012734-767158','sent','{"labels": ["needs triage"]}','029794fe69363faf74319e4292d3902a','[]',0,0,1.79608845762627720834e+09,1.79608845766412305831e+09,NULL,1.79608845766412305831e+09,NULL,'{"labels": ["needs triage"], "off": {}}');
INSERT INTO "commands" VALUES('comment:octo/widgets#5','github','github','write_comment','octo/widgets#5','run-20261201T012734-767158','pending','{"body": "<!-- switchyard:octo/widgets#5 -->\n\nThank you. A person will look at this and decide where it goes.", "with_story": false}','03603f4d2906c49ca0bedd1aaa913459','[]',1,0,1.79608845762627720834e+09,1.79608852101944565776e+09,1.79608845766569137571e+09,NULL,'github: breaker open, next probe at 01:28:41 UTC',NULL);
INSERT INTO "commands" VALUES('mail:run-20261201T012734-767158:team@example.com','email','email','send_mail',NULL,'run-20261201T012734-767158','pending','{"to":"team@example.com","subject":"[triage] 5 issues triaged, 1 needs a person; something needs mending","text":"5 issues triaged\n================\n5 issues triaged, but not all is done: 12 updates waiting in the queue.\n\n      2  bugs\n      1  docs\n      1  for review\n      1  needs a person\n\nStories: 0 created \u00b7 4 waiting\nGitHub: 0 issues updated \u00b7 5 waiting\n\nMost urgent\n-----------\n* octo/widgets#4 routed for review\n  https://github.com/octo/widgets/issues/4\n* octo/widgets#1 Crash number 1 when saving a file (medium)\n  https://github.com/octo/widgets/issues/1\n* octo/widgets#2 Crash number 2 when saving a file (medium)\n  https://github.com/octo/widgets/issues/2\n* octo/widgets#3 The docs lack page 3 on lamps (low)\n  https://github.com/octo/widgets/issues/3\n* octo/widgets#5 How do I use part 5 of this? (low)\n  https://github.com/octo/widgets/issues/5\n\nNeed a person (1)\n-----------------\n* octo/widgets#5 How do I use part 5 of this? (likely feature 77% or question 9%)\n  for feature: how much of it is wishing phrases, \u201clike\u201d\n  against: how much of it is phrases about faults, \u201chappens\u201d\n  https://github.com/octo/widgets/issues/5\n\nLook at\n-------\n* 2 commands for api:\u2060pager wait: pager: HTTP 503 for POST /pages\n* 5 commands for github wait: github: cannot connect (Connection aborted.\u2060'', RemoteDisconnected(''Remote end closed connection without response)\n* 1 command for notion waits: notion: RemoteProtocolError (Server disconnected without sending a response.\u2060)\n* 4 commands for shortcut wait: shortcut: breaker open, next probe at 01:\u206028:\u206035 UTC\n\nNext\n----\n* Deliver what waits: leave `switchyard serve` running, or call `switchyard queue drain`.\n* Route the 1 issue that needs a person: put the right label on the issue, or use `switchyard issue route`.\n\n-- \nRun run-20261201T012734-767158.\nIts report: reports/run-20261201T012734-767158.html where `switchyard serve` answers.\nSent by Switchyard; nobody reads answers to it. Who is told what stands in the configuration under integrations.email.recipients.\n","html":"<p>As text.</p>"}','efffc1fa64e0a595078cd94aa450f158','[]',4,0,1.79608845972761106495e+09,1796088475.26263,NULL,NULL,'email: cannot connect to 127.0.0.1:1 (Error connecting to 127.0.0.1 on port 1: [Errno 111] Connect call failed (''127.0.0.1'', 1))',NULL);
INSERT INTO "commands" VALUES('digest:run-20261201T012734-767158','slack','slack','post_message',NULL,'run-20261201T012734-767158','pending','{"channel": "", "text": "Triage: 5 issues. :beetle: bugs 2  \u00b7  :books: docs 1  \u00b7  :lock: for review 1  \u00b7  :raising_hand: need a person 1", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Triage: 5 issues", "emoji": true}}, {"type": "section", "text": {"type": "mrkdwn", "text": ":beetle: bugs *2*  \u00b7  :books: docs *1*  \u00b7  :lock: for review *1*  \u00b7  :raising_hand: need a person *1*", "verbatim": true}}, {"type": "section", "text": {"type": "mrkdwn", "text": "0 stories created  \u00b7  *9 updates wait in the queue*", "verbatim": true}}, {"type": "section", "text": {"type": "mrkdwn", "text": "*Most urgent*\n\u2022 <https://github.com/octo/widgets/issues/4|octo/widgets#4> routed for review\n\u2022 <https://github.com/octo/widgets/issues/1|octo/widgets#1> Crash number 1 when saving a file (medium)\n\u2022 <https://github.com/octo/widgets/issues/2|octo/widgets#2> Crash number 2 when saving a file (medium)\n\u2022 <https://github.com/octo/widgets/issues/3|octo/widgets#3> The docs lack page 3 on lamps (low)\n\u2022 <https://github.com/octo/widgets/issues/5|octo/widgets#5> How do I use part 5 of this? (low)", "verbatim": true}}, {"type": "section", "text": {"type": "mrkdwn", "text": "*1 needs a person*: most urgent first in the thread", "verbatim": true}}, {"type": "section", "text": {"type": "mrkdwn", "text": "*Look at*\n\u2022 2 commands for api:pager wait: pager: HTTP 503 for POST /pages\n\u2022 5 commands for github wait: github: cannot connect (Connection aborted.'', RemoteDisconnected(''Remote end closed connection without response)\n\u2022 1 command for notion waits: notion: RemoteProtocolError (Server disconnected without sending a response.)\n\u2022 4 commands for shortcut wait: shortcut: breaker open, next probe at 01:28:35 UTC", "verbatim": true}}, {"type": "context", "elements": [{"type": "mrkdwn", "text": "run `run-20261201T012734-767158` \u00b7 triage", "verbatim": true}]}]}','249e8509763592eb99c777acea0cd339','[]',1,0,1.79608845984284901621e+09,1.7960885198856027127e+09,1.79608845988314342495e+09,NULL,'slack: breaker open, next probe at 01:28:39 UTC',NULL);
INSERT INTO "commands" VALUES('security:run-20261201T012734-767158','slack','slack','post_message',NULL,'run-20261201T012734-767158','pending','{"channel": "", "text": "1 possible security report to review", "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "1 possible security report to review", "emoji": true}}, {"type": "section", "text": {"type": "mrkdwn", "text": "<https://github.com/octo/widgets/issues/4|octo/widgets#4> SQL injection number 4 in the search\n\u2022 severity high, by the kind of weakness alone; not confirmed yet\n\u2022 kind: SQL injection\n\u2022 why: rule \"titles of security\": pattern ^SQL injection number \u2192 security", "verbatim": true}}, {"type": "context", "elements": [{"type": "mrkdwn", "text": "Please answer here, not on the public issue. Run `run-20261201T012734-767158`", "verbatim": true}]}], "told": {"octo/widgets#4": "high"}}','61de0b687bb4b9add0995e2fc41b2f61','[]',1,0,1.79608845984284901621e+09,1.7960885198856027127e+09,1.79608845988841271399e+09,NULL,'slack: breaker open, next probe at 01:28:39 UTC',NULL);
INSERT INTO "commands" VALUES('case:octo/widgets#5','slack','slack','post_message','octo/widgets#5','run-20261201T012734-767158','pending','{"channel": "", "text": "octo/widgets#5 needs a person: How do I use part 5 of this?", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": ":raising_hand: *<https://github.com/octo/widgets/issues/5|octo/widgets#5>* How do I use part 5 of this?\n*low* \u00b7 urgency 0\nlikely feature 77% or question 9% (how much of it is wishing phrases, \u201clike\u201d; against: how much of it is phrases about faults)", "verbatim": true}}, {"type": "actions", "block_id": "case:octo/widgets#5", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Feature 77%", "emoji": true}, "action_id": "switchyard:route:feature", "value": "octo/widgets#5", "style": "primary"}, {"type": "button", "text": {"type": "plain_text", "text": "Question 9%", "emoji": true}, "action_id": "switchyard:route:question", "value": "octo/widgets#5"}, {"type": "static_select", "action_id": "switchyard:other", "placeholder": {"type": "plain_text", "text": "Other\u2026", "emoji": true}, "options": [{"text": {"type": "plain_text", "text": "Bug", "emoji": true}, "value": "bug"}, {"text": {"type": "plain_text", "text": "Feature", "emoji": true}, "value": "feature"}, {"text": {"type": "plain_text", "text": "Docs", "emoji": true}, "value": "docs"}, {"text": {"type": "plain_text", "text": "Question", "emoji": true}, "value": "question"}, {"text": {"type": "plain_text", "text": "Security", "emoji": true}, "value": "security"}]}, {"type": "button", "text": {"type": "plain_text", "text": "Why", "emoji": true}, "action_id": "switchyard:why", "value": "octo/widgets#5"}, {"type": "button", "text": {"type": "plain_text", "text": "Snooze", "emoji": true}, "action_id": "switchyard:snooze", "value": "octo/widgets#5"}, {"type": "button", "text": {"type": "plain_text", "text": "Not for us", "emoji": true}, "action_id": "switchyard:ignore", "value": "octo/widgets#5"}]}], "thread_of": "digest:run-20261201T012734-767158"}','f47db48874e3cdcd3d70fbc64f15c744','["digest:run-20261201T012734-767158"]',0,0,1.79608845984284901621e+09,4000000000.0,NULL,NULL,NULL,NULL);
INSERT INTO "commands" VALUES('event:run-20261201T012734-767158:0','webhook','webhook:0','post_event',NULL,'run-20261201T012734-767158','pending','{"hook": {"id": "5573cb1fe811d6ea"}, "event": {"type": "run.finished", "timestamp": "2026-12-01T01:27:39Z", "data": {"run_id": "run-20261201T012734-767158", "status": "partial", "name": "triage", "trigger": "cli", "started_at": "2026-12-01T01:27:34Z", "fetched": 5, "triaged": 5, "failed": 0, "routes": {"bug": 2, "docs": 1, "security": 1, "needs_human": 1}, "stories": {"created": 0, "existing": 0, "queued": 4, "dead": 0}, "github": {"updated": 0, "queued": 5, "dead": 0}, "duration_seconds": 4.869}}}','a49added92613c269526cdf46f4708ef','[]',1,0,1.79608845984284901621e+09,1.79608852193663930891e+09,1.79608846193752813343e+09,NULL,'webhook:0: breaker open, next probe at 01:28:41 UTC',NULL);
INSERT INTO "commands" VALUES('alert:error_rate:github:1796088460','slack','slack','post_message',NULL,'alerts','pending','{"channel": "", "text": ":warning: Alert: github: 3 of 25 requests failed in the last 15 minutes (12%, threshold 5%)", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": ":warning: Alert: github: 3 of 25 requests failed in the last 15 minutes (12%, threshold 5%)"}}]}','cd745f89f959122626482c292eb2d9de','[]',1,0,1.79608845984535288806e+09,1.7960885198856027127e+09,1.7960884598885467052e+09,NULL,'slack: breaker open, next probe at 01:28:39 UTC',NULL);
INSERT INTO "commands" VALUES('alert:error_rate:github:1796088460:5573cb1fe811d6ea','webhook','webhook:0','post_event',NULL,'alerts','pending','{"hook": {"id": "5573cb1fe811d6ea"}, "event": {"type": "alert.started", "timestamp": "2026-12-01T01:27:39Z", "data": {"name": "error_rate:github", "since": "2026-12-01T01:27:39Z", "detail": "github: 3 of 25 requests failed in the last 15 minutes (12%, threshold 5%)"}}}','daa1418ad06dd2204ccb18c2037d3f90','[]',2,0,1.79608845984535288806e+09,1.79608852193663930891e+09,1.79608846193984889984e+09,NULL,'webhook: the receiver answered 503',NULL);
INSERT INTO "commands" VALUES('mail:alert:error_rate:github:1796088460:team@example.com','email','email','send_mail',NULL,'alerts','pending','{"to":"team@example.com","subject":"[triage] Alert: github","text":"Alert: github\n=============\ngithub: 3 of 25 requests failed in the last 15 minutes (12%, threshold 5%)\n\n\nNow\n---\n* `switchyard doctor` says what does not answer, and why.\n\n-- \nYou are told once when an alert starts and once when it is over.\nSent by Switchyard; nobody reads answers to it. Who is told what stands in the configuration under integrations.email.recipients.\n","html":"<p>As text.</p>"}','3155c491242247746bbfa7c9ae29ecdc','[]',0,0,1.79608845984535288806e+09,1.79608847502157354357e+09,NULL,NULL,'email: breaker open, next probe at 01:27:55 UTC',NULL);
INSERT INTO "commands" VALUES('alert:error_rate:shortcut:1796088460','slack','slack','post_message',NULL,'alerts','pending','{"channel": "", "text": ":warning: Alert: shortcut: 5 of 5 requests failed in the last 15 minutes (100%, threshold 5%); its breaker is open", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": ":warning: Alert: shortcut: 5 of 5 requests failed in the last 15 minutes (100%, threshold 5%); its breaker is open"}}]}','eb30e80e001f97fd8b48d2031cb8c094','[]',1,0,1.79608845984535288806e+09,1.7960885198856027127e+09,1.79608845988869714736e+09,NULL,'slack: breaker open, next probe at 01:28:39 UTC',NULL);
INSERT INTO "commands" VALUES('alert:error_rate:shortcut:1796088460:5573cb1fe811d6ea','webhook','webhook:0','post_event',NULL,'alerts','pending','{"hook": {"id": "5573cb1fe811d6ea"}, "event": {"type": "alert.started", "timestamp": "2026-12-01T01:27:39Z", "data": {"name": "error_rate:shortcut", "since": "2026-12-01T01:27:39Z", "detail": "shortcut: 5 of 5 requests failed in the last 15 minutes (100%, threshold 5%); its breaker is open"}}}','13abff50fc6f3548204b8c72c132faae','[]',1,0,1.79608845984535288806e+09,1.79608852193663930891e+09,1.79608846193105340001e+09,NULL,'webhook:0: breaker open, next probe at 01:28:41 UTC',NULL);
INSERT INTO "commands" VALUES('mail:alert:error_rate:shortcut:1796088460:team@example.com','email','email','send_mail',NULL,'alerts','pending','{"to":"team@example.com","subject":"[triage] Alert: shortcut","text":"Alert: shortcut\n===============\nshortcut: 5 of 5 requests failed in the last 15 minutes (100%, threshold 5%); its breaker is open\n\n\nNow\n---\n* `switchyard doctor` says what does not answer, and why.\n\n-- \nYou are told once when an alert starts and once when it is over.\nSent by Switchyard; nobody reads answers to it. Who is told what stands in the configuration under integrations.email.recipients.\n","html":"<p>As text.</p>"}','1b2c1d9faa4f4f020b4ecdb3688c1ff2','[]',0,0,1.79608845984535288806e+09,1.79608847502157354357e+09,NULL,NULL,'email: breaker open, next probe at 01:27:55 UTC',NULL);
INSERT INTO "commands" VALUES('alert:error_rate:api:pager:1796088460','slack','slack','post_message',NULL,'alerts','pending','{"channel": "", "text": ":warning: Alert: api:pager: 6 of 7 requests failed in the last 15 minutes (86%, threshold 5%); its breaker is open", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": ":warning: Alert: api:pager: 6 of 7 requests failed in the last 15 minutes (86%, threshold 5%); its breaker is open"}}]}','14786a6505d7bb2aad68747e0ce3ea6c','[]',1,0,1.79608845984535288806e+09,1.7960885198856027127e+09,1.7960884598893208504e+09,NULL,'slack: breaker open, next probe at 01:28:39 UTC',NULL);
INSERT INTO "commands" VALUES('alert:error_rate:api:pager:1796088460:5573cb1fe811d6ea','webhook','webhook:0','post_event',NULL,'alerts','pending','{"hook": {"id": "5573cb1fe811d6ea"}, "event": {"type": "alert.started", "timestamp": "2026-12-01T01:27:39Z", "data": {"name": "error_rate:api:pager", "since": "2026-12-01T01:27:39Z", "detail": "api:pager: 6 of 7 requests failed in the last 15 minutes (86%, threshold 5%); its breaker is open"}}}','8b72def3062aee51ebce8ef4c57a7b61','[]',1,0,1.79608845984535288806e+09,1.79608852193663930891e+09,1.7960884619368517399e+09,NULL,'webhook:0: breaker open, next probe at 01:28:41 UTC',NULL);
INSERT INTO "commands" VALUES('mail:alert:error_rate:api:pager:1796088460:team@example.com','email','email','send_mail',NULL,'alerts','pending','{"to":"team@example.com","subject":"[triage] Alert: api","text":"Alert: api\n==========\napi:pager: 6 of 7 requests failed in the last 15 minutes (86%, threshold 5%); its breaker is open\n\n\nNow\n---\n* `switchyard doctor` says what does not answer, and why.\n\n-- \nYou are told once when an alert starts and once when it is over.\nSent by Switchyard; nobody reads answers to it. Who is told what stands in the configuration under integrations.email.recipients.\n","html":"<p>As text.</p>"}','767d77931adfc07b0aa85f2152194b86','[]',0,0,1.79608845984535288806e+09,1.79608847502157354357e+09,NULL,NULL,'email: breaker open, next probe at 01:27:55 UTC',NULL);
INSERT INTO "commands" VALUES('page:octo/widgets#6','notion','notion','publish_page','octo/widgets#6','run-20261201T012750-bca026','pending','{"title": "The docs lack page 6 on lamps", "markdown": "> **Draft** by Switchyard for [octo/widgets#6](https://github.com/octo/widgets/issues/6). Nobody has checked it. Edit it as you like: it is not written again.\n\n## Documentation\n\nKind of slip: **missing**\n\n---\n\n# The docs lack page 6 on lamps\n\n*Draft by `openai:sandbox`; nobody has checked it.*\n\nThis happens every time, and I would like it to be otherwise.\n\nThis page explains: The docs lack page 6 on lamps."}','4b10a32a9b858e19cabad0999073253c','[]',1,0,1.7960884731343533993e+09,1.79608847342767310138e+09,1.79608847326978206641e+09,NULL,'notion: HTTP 503 for POST /v1/pages',NULL);
INSERT INTO "commands" VALUES('story:octo/widgets#6','shortcut','shortcut','create_story','octo/widgets#6','run-20261201T012750-bca026','pending','{"name": "The docs lack page 6 on lamps", "description": "**[octo/widgets#6](https://github.com/octo/widgets/issues/6)** by `ann`, 6 October 2026  \nRoute: **documentation** (rule \"titles of docs\": pattern ^The docs lack page \u2192 docs)\n\n## Documentation\n\nKind of slip: **missing**\n\n## Draft of the page\n\n*Draft by `openai:sandbox`; nobody has checked it.*\n\n**The docs lack page 6 on lamps**\n\nThis happens every time, and I would like it to be otherwise.\n\nThis page explains: The docs lack page 6 on lamps.\n\n## Page in Notion\n\nThe draft is put on a page in Notion that has the issue''s title.\n\n## Possibly the same\n\n- [octo/widgets#3: The docs lack page 3 on lamps](https://github.com/octo/widgets/issues/3), 100% alike (the same title)\n\n## From the issue\n\n> This happens every time, and I would like it to be otherwise.", "story_type": "chore", "labels": ["docs"], "external_link": "https://github.com/octo/widgets/issues/6", "estimate": 1, "route": "docs"}','bd8a47a6a82dcf9f4f6e8b113fb55b0e','[]',0,0,1.7960884731343533993e+09,1.7960884731343533993e+09,1.79608847410182356839e+09,NULL,NULL,NULL);
INSERT INTO "commands" VALUES('labels:octo/widgets#6','github','github','add_labels','octo/widgets#6','run-20261201T012750-bca026','sent','{"labels": ["documentation"]}','0c3291801780ec2fb4f8c0c755c0f2c7','[]',0,0,1.7960884731343533993e+09,1.79608847323327922821e+09,NULL,1.79608847323327922821e+09,NULL,'{"labels": ["documentation"], "off": {}}');
INSERT INTO "commands" VALUES('comment:octo/widgets#6','github','github','write_comment','octo/widgets#6','run-20261201T012750-bca026','pending','{"body": "<!-- switchyard:octo/widgets#6 -->\n\nThank you for pointing this out. It was routed to the **documentation**.\n\nThis may be the same as #3. If it is not, please say what differs.", "with_story": true}','4d866e65449eaf5070660a49b8424712','["story:octo/widgets#6"]',0,0,1.7960884731343533993e+09,4000000000.0,NULL,NULL,NULL,NULL);
INSERT INTO "commands" VALUES('assign:octo/gadgets#1','github','github','assign','octo/gadgets#1','run-20261201T012734-767158','pending','{"login": "ann"}','f5ac273db25f6154fa95201cae4dbca5','[]',0,0,1.79608847425161814691e+09,1.79608847425161814691e+09,NULL,NULL,NULL,NULL);
INSERT INTO "commands" VALUES('reflect:octo/gadgets#1','github','github','reflect_story','octo/gadgets#1','run-20261201T012734-767158','pending','{"labels": ["In Progress"], "close": null}','d234781659faa55de750b9cfe90178d8','[]',0,0,1.79608847425161814691e+09,1.79608847425161814691e+09,NULL,NULL,NULL,NULL);
INSERT INTO "commands" VALUES('react:20000017','github','github','react','octo/gadgets#3','run-20261201T012734-767158','pending','{"comment_id": 20000017, "content": "eyes"}','20ae98c7c6cbaae65243f47929a19504','[]',0,0,1.79608847425161814691e+09,1.79608847425161814691e+09,NULL,NULL,NULL,NULL);
INSERT INTO "commands" VALUES('merge:196','shortcut','shortcut','archive_story','octo/gadgets#1','run-20261201T012734-767158','pending','{"story_id": 196, "keep_id": 191, "keep_url": "https://app.shortcut.com/switchyard-sandbox/story/191"}','d57a803b9a0bd4c6d9431840a08f5876','[]',0,0,1.79608847425161814691e+09,1.79608847425161814691e+09,NULL,NULL,NULL,NULL);
INSERT INTO "commands" VALUES('advisory:octo/widgets#4','github','github','draft_advisory','octo/widgets#4','run-20261201T012734-767158','pending','{"summary": "Injection", "description": "As reported.", "severity": "high", "vector": "", "cve": "", "weaknesses": [], "packages": []}','7a0b62eaef936f696591a14868dfb260','[]',0,0,1.79608847425161814691e+09,1.79608847425161814691e+09,NULL,NULL,NULL,NULL);
INSERT INTO "commands" VALUES('home:U0SANDBOX1','slack','slack','publish_home',NULL,'run-20261201T012734-767158','pending','{"user": "U0SANDBOX1", "blocks": [{"type": "divider"}]}','98cd39ab5a1cbb889c797787b7b3c342','[]',0,0,1.79608847425161814691e+09,1.79608847425161814691e+09,NULL,NULL,NULL,NULL);
INSERT INTO "commands" VALUES('chart:run-20261201T012734-767158','slack','slack','upload_chart',NULL,'run-20261201T012734-767158','pending','{"thread_of": "digest:run-20261201T012734-767158", "filename": "run-20261201T012734-767158.png", "title": "Routes", "alt": "A chart", "content": "iVBORw0KGgo="}','4cdd54b9732f269119bcd7d9fdba1d3c','["digest:run-20261201T012734-767158"]',0,0,1.79608847425161814691e+09,4000000000.0,NULL,NULL,NULL,NULL);
CREATE TABLE corrections (
	id INTEGER NOT NULL, 
	issue VARCHAR NOT NULL, 
	"before" VARCHAR NOT NULL, 
	"after" VARCHAR NOT NULL, 
	person VARCHAR, 
	via VARCHAR NOT NULL, 
	at FLOAT NOT NULL, 
	shown JSON NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "corrections" VALUES(1,'octo/gadgets#2','feature','docs','somebody','cli',1.79608844973976039885e+09,'{"model": "20261120-0000-55cc2d", "confidence": 1.0, "probabilities": {"bug": 0.0311, "feature": 0.9594, "docs": 0.0081, "question": 0.0014}, "reasons": [["the title starts like a request", 0.592], ["a wish in the title (\u201cadd\u201d)", 0.514], ["how much of it is wishing phrases", 0.425], ["how much of it is phrases about faults", -0.3], ["wishing phrases in the title", 0.281], ["\u201chappens\u201d", -0.191], ["phrases about faults in the beginning", -0.126], ["\u201cplease\u201d in the title", -0.054]], "security_score": 0.0416, "labels": []}');
CREATE TABLE documents (
	seq INTEGER NOT NULL, 
	"key" VARCHAR NOT NULL, 
	repo VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	url VARCHAR NOT NULL, 
	done BOOLEAN NOT NULL, 
	estimate INTEGER, 
	terms BLOB NOT NULL, 
	updated_at FLOAT NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "documents" VALUES(1,'octo/gadgets#1','octo/gadgets','Crash number 1 when saving a file','https://github.com/octo/gadgets/issues/1',0,4,X'95D4852BE60A002C1D932043F481766C1869797C541F9096890D78CEDFF0E8D70101818101810081',1.7960884401843557358e+09);
INSERT INTO "documents" VALUES(2,'octo/gadgets#2','octo/gadgets','Please add a way to sort trays, number 2','https://github.com/octo/gadgets/issues/2',0,4,X'95D4852BE60A002C22F224511869797C541F909697C753C7267B1BEFE7731AFD0101810181810081',1.7960884401843557358e+09);
INSERT INTO "documents" VALUES(3,'octo/gadgets#3','octo/gadgets','How do I use part 3 of this?','https://github.com/octo/gadgets/issues/3',0,NULL,X'95D4852BE60A002CC6700F499EF8F8691869797C0101810001',1.79608844031622576706e+09);
INSERT INTO "documents" VALUES(4,'octo/widgets#1','octo/widgets','Crash number 1 when saving a file','https://github.com/octo/widgets/issues/1',0,3,X'95D4852BE60A002C1D932043F481766C1869797C541F9096890D78CEDFF0E8D70101818101810081',1.79608845558516907687e+09);
INSERT INTO "documents" VALUES(5,'octo/widgets#2','octo/widgets','Crash number 2 when saving a file','https://github.com/octo/widgets/issues/2',0,3,X'95D4852BE60A002C1D932043F481766C1869797C541F9096890D78CEDFF0E8D70101818101810081',1.79608845558516907687e+09);
INSERT INTO "documents" VALUES(6,'octo/widgets#3','octo/widgets','The docs lack page 3 on lamps','https://github.com/octo/widgets/issues/3',0,1,X'5F1F800495D4852BE60A002C1869797C64FD418604B6118D6652F799C02846DF8101010181818100',1.79608845756869387627e+09);
INSERT INTO "documents" VALUES(7,'octo/widgets#4','octo/widgets','','',0,NULL,X'',1.79608845756869387627e+09);
INSERT INTO "documents" VALUES(8,'octo/widgets#5','octo/widgets','How do I use part 5 of this?','https://github.com/octo/widgets/issues/5',0,NULL,X'95D4852BE60A002CC6700F499EF8F8691869797C0101810001',1.79608845762627720834e+09);
INSERT INTO "documents" VALUES(9,'octo/widgets#6','octo/widgets','The docs lack page 6 on lamps','https://github.com/octo/widgets/issues/6',0,1,X'5F1F800495D4852BE60A002C1869797C64FD418604B6118D6652F799C02846DF8101010181818100',1.7960884731343533993e+09);
CREATE TABLE examples (
	"key" VARCHAR NOT NULL, 
	repo VARCHAR NOT NULL, 
	created_at FLOAT NOT NULL, 
	title VARCHAR NOT NULL, 
	body TEXT NOT NULL, 
	labels JSON NOT NULL, 
	labelled_by JSON NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE inbox (
	id VARCHAR NOT NULL, 
	event VARCHAR NOT NULL, 
	action VARCHAR NOT NULL, 
	issue VARCHAR, 
	body_hash VARCHAR NOT NULL, 
	received_at FLOAT NOT NULL, 
	state VARCHAR NOT NULL, 
	note VARCHAR NOT NULL, 
	payload TEXT NOT NULL, sender VARCHAR DEFAULT '' NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE installed (
	repo VARCHAR NOT NULL, 
	installation_id BIGINT NOT NULL, 
	since FLOAT NOT NULL, 
	PRIMARY KEY (repo)
);
CREATE TABLE issues (
	"key" VARCHAR NOT NULL, 
	repo VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	updated_at FLOAT NOT NULL, 
	run_id VARCHAR NOT NULL, 
	title_key VARCHAR NOT NULL, 
	data TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "issues" VALUES('octo/gadgets#1','octo/gadgets',1,1793527200.0,'run-20261201T012717-a3ddfd','e3e9946e8c888065','{"repo": "octo/gadgets", "number": 1, "title": "Crash number 1 when saving a file", "body": "This happens every time, and I would like it to be otherwise.", "html_url": "https://github.com/octo/gadgets/issues/1", "created_at": "2026-10-01T10:00:00+00:00", "updated_at": "2026-11-01T10:00:00+00:00", "state": "open", "labels": [], "author": "ann", "author_association": "NONE", "assignees": [], "comments": 0, "reactions": 0}');
INSERT INTO "issues" VALUES('octo/gadgets#2','octo/gadgets',2,1793613600.0,'run-20261201T012717-a3ddfd','65a440e31bc493d3','{"repo": "octo/gadgets", "number": 2, "title": "Please add a way to sort trays, number 2", "body": "This happens every time, and I would like it to be otherwise.", "html_url": "https://github.com/octo/gadgets/issues/2", "created_at": "2026-10-02T10:00:00+00:00", "updated_at": "2026-11-02T10:00:00+00:00", "state": "open", "labels": [], "author": "ann", "author_association": "NONE", "assignees": [], "comments": 0, "reactions": 0}');
INSERT INTO "issues" VALUES('octo/gadgets#3','octo/gadgets',3,1793700000.0,'run-20261201T012717-a3ddfd','1ecb015cdc7e1bf7','{"repo": "octo/gadgets", "number": 3, "title": "How do I use part 3 of this?", "body": "This happens every time, and I would like it to be otherwise.", "html_url": "https://github.com/octo/gadgets/issues/3", "created_at": "2026-10-03T10:00:00+00:00", "updated_at": "2026-11-03T10:00:00+00:00", "state": "open", "labels": [], "author": "ann", "author_association": "NONE", "assignees": [], "comments": 0, "reactions": 0}');
INSERT INTO "issues" VALUES('octo/widgets#1','octo/widgets',1,1796088455.0,'run-20261201T012750-bca026','e3e9946e8c888065','{"repo": "octo/widgets", "number": 1, "title": "Crash number 1 when saving a file", "body": "This happens every time, and I would like it to be otherwise.", "html_url": "https://github.com/octo/widgets/issues/1", "created_at": "2026-10-01T10:00:00+00:00", "updated_at": "2026-12-01T01:27:35+00:00", "state": "open", "labels": ["bug"], "author": "ann", "author_association": "NONE", "assignees": [], "comments": 0, "reactions": 0}');
INSERT INTO "issues" VALUES('octo/widgets#2','octo/widgets',2,1793613600.0,'run-20261201T012750-bca026','e3e9946e8c888065','{"repo": "octo/widgets", "number": 2, "title": "Crash number 2 when saving a file", "body": "This happens every time, and I would like it to be otherwise.", "html_url": "https://github.com/octo/widgets/issues/2", "created_at": "2026-10-02T10:00:00+00:00", "updated_at": "2026-11-02T10:00:00+00:00", "state": "open", "labels": [], "author": "ann", "author_association": "NONE", "assignees": [], "comments": 0, "reactions": 0}');
INSERT INTO "issues" VALUES('octo/widgets#3','octo/widgets',3,1796088457.0,'run-20261201T012750-bca026','a617b3fd37ebcff8','{"repo": "octo/widgets", "number": 3, "title": "The docs lack page 3 on lamps", "body": "This happens every time, and I would like it to be otherwise.", "html_url": "https://github.com/octo/widgets/issues/3", "created_at": "2026-10-03T10:00:00+00:00", "updated_at": "2026-12-01T01:27:37+00:00", "state": "open", "labels": ["documentation"], "author": "ann", "author_association": "NONE", "assignees": [], "comments": 0, "reactions": 0}');
INSERT INTO "issues" VALUES('octo/widgets#4','octo/widgets',4,1796088457.0,'run-20261201T012750-bca026','5779233c13f68f7e','{"repo": "octo/widgets", "number": 4, "title": "SQL injection number 4 in the search", "body": "This happens every time, and I would like it to be otherwise.", "html_url": "https://github.com/octo/widgets/issues/4", "created_at": "2026-10-04T10:00:00+00:00", "updated_at": "2026-12-01T01:27:37+00:00", "state": "open", "labels": ["needs review"], "author": "ann", "author_association": "NONE", "assignees": [], "comments": 0, "reactions": 0}');
INSERT INTO "issues" VALUES('octo/widgets#5','octo/widgets',5,1796088457.0,'run-20261201T012750-bca026','1ecb015cdc7e1bf7','{"repo": "octo/widgets", "number": 5, "title": "How do I use part 5 of this?", "body": "This happens every time, and I would like it to be otherwise.", "html_url": "https://github.com/octo/widgets/issues/5", "created_at": "2026-10-05T10:00:00+00:00", "updated_at": "2026-12-01T01:27:37+00:00", "state": "open", "labels": ["needs triage"], "author": "ann", "author_association": "NONE", "assignees": [], "comments": 1, "reactions": 0}');
INSERT INTO "issues" VALUES('octo/widgets#6','octo/widgets',6,1793959200.0,'run-20261201T012750-bca026','a617b3fd37ebcff8','{"repo": "octo/widgets", "number": 6, "title": "The docs lack page 6 on lamps", "body": "This happens every time, and I would like it to be otherwise.", "html_url": "https://github.com/octo/widgets/issues/6", "created_at": "2026-10-06T10:00:00+00:00", "updated_at": "2026-11-06T10:00:00+00:00", "state": "open", "labels": [], "author": "ann", "author_association": "NONE", "assignees": [], "comments": 0, "reactions": 0}');
INSERT INTO "issues" VALUES('octo/widgets#7','octo/widgets',7,1794045600.0,'run-20261201T012750-bca026','a617b3fd37ebcff8','{"repo": "octo/widgets", "number": 7, "title": "The docs lack page 7 on lamps", "body": "This happens every time, and I would like it to be otherwise.", "html_url": "https://github.com/octo/widgets/issues/7", "created_at": "2026-10-07T10:00:00+00:00", "updated_at": "2026-11-07T10:00:00+00:00", "state": "open", "labels": [], "author": "ann", "author_association": "NONE", "assignees": [], "comments": 0, "reactions": 0}');
INSERT INTO "issues" VALUES('octo/widgets#8','octo/widgets',8,1794132000.0,'run-20261201T012750-bca026','e3e9946e8c888065','{"repo": "octo/widgets", "number": 8, "title": "Crash number 8 when saving a file", "body": "This happens every time, and I would like it to be otherwise.", "html_url": "https://github.com/octo/widgets/issues/8", "created_at": "2026-10-08T10:00:00+00:00", "updated_at": "2026-11-08T10:00:00+00:00", "state": "open", "labels": [], "author": "ann", "author_association": "NONE", "assignees": [], "comments": 0, "reactions": 0}');
INSERT INTO "issues" VALUES('octo/widgets#9','octo/widgets',9,1794218400.0,'run-20261201T012750-bca026','e3e9946e8c888065','{"repo": "octo/widgets", "number": 9, "title": "Crash number 9 when saving a file", "body": "This happens every time, and I would like it to be otherwise.", "html_url": "https://github.com/octo/widgets/issues/9", "created_at": "2026-10-09T10:00:00+00:00", "updated_at": "2026-11-09T10:00:00+00:00", "state": "open", "labels": [], "author": "ann", "author_association": "NONE", "assignees": [], "comments": 0, "reactions": 0}');
INSERT INTO "issues" VALUES('octo/widgets#10','octo/widgets',10,1794304800.0,'run-20261201T012750-bca026','a617b3fd37ebcff8','{"repo": "octo/widgets", "number": 10, "title": "The docs lack page 10 on lamps", "body": "This happens every time, and I would like it to be otherwise.", "html_url": "https://github.com/octo/widgets/issues/10", "created_at": "2026-10-10T10:00:00+00:00", "updated_at": "2026-11-10T10:00:00+00:00", "state": "open", "labels": [], "author": "ann", "author_association": "NONE", "assignees": [], "comments": 0, "reactions": 0}');
INSERT INTO "issues" VALUES('octo/widgets#11','octo/widgets',11,1794391200.0,'run-20261201T012750-bca026','e3e9946e8c888065','{"repo": "octo/widgets", "number": 11, "title": "Crash number 11 when saving a file", "body": "This happens every time, and I would like it to be otherwise.", "html_url": "https://github.com/octo/widgets/issues/11", "created_at": "2026-10-11T10:00:00+00:00", "updated_at": "2026-11-11T10:00:00+00:00", "state": "open", "labels": [], "author": "ann", "author_association": "NONE", "assignees": [], "comments": 0, "reactions": 0}');
CREATE TABLE lanes (
	name VARCHAR NOT NULL, 
	holder VARCHAR, 
	blocked_until FLOAT, 
	blocked_kind VARCHAR, 
	blocked_reason VARCHAR, 
	PRIMARY KEY (name)
);
INSERT INTO "lanes" VALUES('github',NULL,NULL,NULL,NULL);
INSERT INTO "lanes" VALUES('shortcut','elsewhere:7:700:0267344c',NULL,NULL,NULL);
INSERT INTO "lanes" VALUES('api:pager',NULL,1.79608851965654110912e+09,'breaker','api:pager: breaker open, next probe at 01:28:39 UTC');
INSERT INTO "lanes" VALUES('slack',NULL,1.7960885198856027127e+09,'breaker','slack: breaker open, next probe at 01:28:39 UTC');
INSERT INTO "lanes" VALUES('webhook:0',NULL,1.79608852193663930891e+09,'breaker','webhook:0: breaker open, next probe at 01:28:41 UTC');
INSERT INTO "lanes" VALUES('email',NULL,1.79608847502157354357e+09,'breaker','email: breaker open, next probe at 01:27:55 UTC');
INSERT INTO "lanes" VALUES('notion',NULL,NULL,NULL,NULL);
CREATE TABLE owners (
	executor_id VARCHAR NOT NULL, 
	host VARCHAR NOT NULL, 
	pid INTEGER NOT NULL, 
	process_started FLOAT NOT NULL, 
	heartbeat_at FLOAT NOT NULL, 
	PRIMARY KEY (executor_id)
);
INSERT INTO "owners" VALUES('elsewhere:7:700:0267344c','elsewhere',7,1796088465.43,1.79608847242148542402e+09);
CREATE TABLE pauses (
	"key" VARCHAR NOT NULL, 
	until FLOAT, 
	person VARCHAR NOT NULL, 
	at FLOAT NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE quiet (
	issue VARCHAR NOT NULL, 
	since FLOAT NOT NULL, 
	until FLOAT NOT NULL, 
	sender VARCHAR NOT NULL, 
	PRIMARY KEY (issue)
);
CREATE TABLE readings (
	repo VARCHAR NOT NULL, 
	issues_since FLOAT, 
	events_done BIGINT NOT NULL, 
	events_top BIGINT NOT NULL, 
	events_next VARCHAR, 
	PRIMARY KEY (repo)
);
CREATE TABLE repositories (
	name VARCHAR NOT NULL, 
	cursor FLOAT, 
	etag VARCHAR, 
	etag_url VARCHAR, 
	PRIMARY KEY (name)
);
INSERT INTO "repositories" VALUES('octo/gadgets',1796088437.0,NULL,NULL);
CREATE TABLE repository_configs (
	repo VARCHAR NOT NULL, 
	data JSON NOT NULL, 
	sha VARCHAR NOT NULL, 
	problem VARCHAR NOT NULL, 
	read_at FLOAT NOT NULL, 
	PRIMARY KEY (repo)
);
INSERT INTO "repository_configs" VALUES('octo/gadgets','{}','','',1.79608843742976784707e+09);
INSERT INTO "repository_configs" VALUES('octo/widgets','{}','','',1.79608845485802793499e+09);
CREATE TABLE router_days (
	day VARCHAR NOT NULL, 
	model VARCHAR NOT NULL, 
	decided INTEGER NOT NULL, 
	abstained INTEGER NOT NULL, 
	corrected INTEGER NOT NULL, 
	PRIMARY KEY (day, model)
);
INSERT INTO "router_days" VALUES('2026-12-01','20261120-0000-55cc2d',0,0,1);
CREATE TABLE runs (
	id VARCHAR NOT NULL, 
	"trigger" VARCHAR NOT NULL, 
	params JSON NOT NULL, 
	status VARCHAR NOT NULL, 
	owner VARCHAR, 
	progress JSON NOT NULL, 
	started_at FLOAT NOT NULL, 
	cases_done_at FLOAT, 
	finished_at FLOAT, 
	requests JSON NOT NULL, 
	problems JSON NOT NULL, 
	report JSON, 
	PRIMARY KEY (id)
);
INSERT INTO "runs" VALUES('run-20261201T012717-a3ddfd','cli','{"repositories": ["octo/gadgets"], "issues": [], "since": null, "full": false, "named": true, "wait": 5.0}','done',NULL,'{"repository": 1, "url": null, "started": null, "buffer": [], "batches": 2, "fetched": 3, "expected": 3, "pulls": 0, "bad": 0, "from_cache": false, "failed": false, "incomplete": false, "finished": true, "relisted": false, "pages": 0, "pull_numbers": [], "waited": 0.0, "cursors": {"octo/gadgets": {"cursor": 1796088437.0, "etag": null, "etag_url": null}}, "problems": [], "skipped": [], "resumes_at": null, "reconciled": true}',1.79608843742151451112e+09,1.79608844034011602402e+09,1.79608844493742370604e+09,'{"github": 12, "shortcut": 4, "slack": 2, "webhook": 1, "email": 5, "notion": 0, "osv": 0, "llm": 2, "api": 2}','[]','{"report": "var/reports/run-20261201T012717-a3ddfd.html"}');
INSERT INTO "runs" VALUES('webhook-20261201','webhook','{}','open',NULL,'{"fetched": 1}',1.79608844977392029763e+09,NULL,NULL,'{}','[]',NULL);
INSERT INTO "runs" VALUES('run-20261201T012734-767158','cli','{"repositories": ["octo/widgets", "octo/gadgets"], "issues": ["octo/widgets#1", "octo/widgets#2", "octo/widgets#3", "octo/widgets#4", "octo/widgets#5"], "since": null, "full": true, "named": true, "wait": 2.0}','done',NULL,'{"repository": 0, "url": null, "started": null, "buffer": [], "batches": 3, "fetched": 5, "expected": null, "pulls": 0, "bad": 0, "from_cache": false, "failed": false, "incomplete": false, "finished": true, "relisted": false, "pages": 0, "pull_numbers": [], "waited": 0.0, "cursors": {}, "problems": [], "skipped": [], "resumes_at": null, "reconciled": true}',1.79608845485003256791e+09,1.79608845766558361057e+09,1.79608846185748863223e+09,'{"github": 27, "shortcut": 5, "slack": 5, "webhook": 4, "email": 0, "notion": 5, "osv": 0, "llm": 1, "api": 7}','[]','{"report": "var/reports/run-20261201T012734-767158.html"}');
INSERT INTO "runs" VALUES('run-20261201T012750-bca026','cli','{"repositories": ["octo/widgets", "octo/gadgets"], "issues": [], "since": null, "full": false, "named": false, "wait": 60.0}','running','elsewhere:7:700:0267344c','{"repository": 1, "url": null, "started": null, "buffer": ["octo/widgets#11"], "batches": 5, "fetched": 11, "expected": 11, "pulls": 0, "bad": 0, "from_cache": false, "failed": false, "incomplete": false, "finished": false, "relisted": false, "pages": 0, "pull_numbers": [], "waited": 0.0, "cursors": {"octo/widgets": {"cursor": 1796088469.0, "etag": null, "etag_url": null}}, "problems": [], "skipped": [], "resumes_at": null, "reconciled": false}',1.7960884704389398098e+09,NULL,NULL,'{"github": 9, "shortcut": 3, "slack": 0, "webhook": 0, "email": 4, "notion": 1, "osv": 0, "llm": 2, "api": 1}','[]',NULL);
CREATE TABLE spending (
	id INTEGER NOT NULL, 
	owner VARCHAR NOT NULL, 
	service VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	at FLOAT NOT NULL, 
	count INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "spending" VALUES(1,'elsewhere:7:700:45e64ad6','github','read',1796088437.0,6);
INSERT INTO "spending" VALUES(2,'elsewhere:7:700:45e64ad6','shortcut','read',1796088437.0,2);
INSERT INTO "spending" VALUES(3,'elsewhere:7:700:45e64ad6','api:pager','read',1796088437.0,1);
INSERT INTO "spending" VALUES(4,'elsewhere:7:700:45e64ad6','github','content',1796088440.0,3);
INSERT INTO "spending" VALUES(5,'elsewhere:7:700:45e64ad6','github','write',1796088440.0,3);
INSERT INTO "spending" VALUES(6,'elsewhere:7:700:45e64ad6','shortcut','read',1796088440.0,2);
INSERT INTO "spending" VALUES(7,'elsewhere:7:700:45e64ad6','llm','read',1796088440.0,2);
INSERT INTO "spending" VALUES(8,'elsewhere:7:700:45e64ad6','api:pager','write',1796088440.0,1);
INSERT INTO "spending" VALUES(9,'elsewhere:7:700:45e64ad6','slack','content',1796088440.0,2);
INSERT INTO "spending" VALUES(10,'elsewhere:7:700:45e64ad6','webhook:0','read',1796088440.0,1);
INSERT INTO "spending" VALUES(11,'elsewhere:7:700:45e64ad6','email','content',1796088440.0,1);
INSERT INTO "spending" VALUES(12,'elsewhere:7:700:45e64ad6','email','content',1796088441.0,1);
INSERT INTO "spending" VALUES(13,'elsewhere:7:700:45e64ad6','email','content',1796088442.0,1);
INSERT INTO "spending" VALUES(14,'elsewhere:7:700:45e64ad6','email','content',1796088443.0,1);
INSERT INTO "spending" VALUES(15,'elsewhere:7:700:45e64ad6','email','content',1796088444.0,1);
INSERT INTO "spending" VALUES(16,'elsewhere:7:700:a8f3627b','github','read',1796088454.0,5);
INSERT INTO "spending" VALUES(17,'elsewhere:7:700:a8f3627b','github','read',1796088455.0,9);
INSERT INTO "spending" VALUES(18,'elsewhere:7:700:a8f3627b','github','write',1796088455.0,5);
INSERT INTO "spending" VALUES(19,'elsewhere:7:700:a8f3627b','shortcut','read',1796088454.0,1);
INSERT INTO "spending" VALUES(20,'elsewhere:7:700:a8f3627b','shortcut','read',1796088455.0,4);
INSERT INTO "spending" VALUES(21,'elsewhere:7:700:a8f3627b','api:pager','read',1796088455.0,1);
INSERT INTO "spending" VALUES(22,'elsewhere:7:700:a8f3627b','api:pager','write',1796088455.0,2);
INSERT INTO "spending" VALUES(23,'elsewhere:7:700:a8f3627b','github','content',1796088457.0,1);
INSERT INTO "spending" VALUES(24,'elsewhere:7:700:a8f3627b','github','write',1796088457.0,3);
INSERT INTO "spending" VALUES(25,'elsewhere:7:700:a8f3627b','notion','content',1796088457.0,1);
INSERT INTO "spending" VALUES(26,'elsewhere:7:700:a8f3627b','llm','read',1796088457.0,1);
INSERT INTO "spending" VALUES(27,'elsewhere:7:700:a8f3627b','api:pager','write',1796088457.0,2);
INSERT INTO "spending" VALUES(28,'elsewhere:7:700:a8f3627b','github','read',1796088459.0,2);
INSERT INTO "spending" VALUES(29,'elsewhere:7:700:a8f3627b','notion','read',1796088459.0,2);
INSERT INTO "spending" VALUES(30,'elsewhere:7:700:a8f3627b','api:pager','write',1796088459.0,2);
INSERT INTO "spending" VALUES(31,'elsewhere:7:700:a8f3627b','github','read',1796088460.0,1);
INSERT INTO "spending" VALUES(32,'elsewhere:7:700:a8f3627b','slack','content',1796088459.0,5);
INSERT INTO "spending" VALUES(33,'elsewhere:7:700:a8f3627b','webhook:0','read',1796088459.0,4);
INSERT INTO "spending" VALUES(34,'elsewhere:7:700:a8f3627b','notion','read',1796088459.0,1);
INSERT INTO "spending" VALUES(35,'elsewhere:7:700:a8f3627b','github','read',1796088461.0,1);
INSERT INTO "spending" VALUES(36,'elsewhere:7:700:a8f3627b','notion','read',1796088460.0,1);
INSERT INTO "spending" VALUES(37,'elsewhere:7:700:a8f3627b','webhook:0','read',1796088461.0,1);
INSERT INTO "spending" VALUES(38,'elsewhere:7:700:0267344c','github','read',1796088470.0,6);
INSERT INTO "spending" VALUES(39,'elsewhere:7:700:0267344c','shortcut','read',1796088470.0,1);
INSERT INTO "spending" VALUES(40,'elsewhere:7:700:0267344c','email','content',1796088470.0,1);
INSERT INTO "spending" VALUES(41,'elsewhere:7:700:0267344c','shortcut','read',1796088471.0,1);
INSERT INTO "spending" VALUES(42,'elsewhere:7:700:0267344c','email','content',1796088471.0,1);
INSERT INTO "spending" VALUES(43,'elsewhere:7:700:0267344c','github','read',1796088473.0,2);
INSERT INTO "spending" VALUES(44,'elsewhere:7:700:0267344c','github','write',1796088473.0,1);
INSERT INTO "spending" VALUES(45,'elsewhere:7:700:0267344c','shortcut','read',1796088472.0,1);
INSERT INTO "spending" VALUES(46,'elsewhere:7:700:0267344c','email','content',1796088472.0,1);
INSERT INTO "spending" VALUES(47,'elsewhere:7:700:0267344c','notion','content',1796088473.0,1);
INSERT INTO "spending" VALUES(48,'elsewhere:7:700:0267344c','llm','read',1796088473.0,2);
INSERT INTO "spending" VALUES(49,'elsewhere:7:700:0267344c','api:pager','read',1796088473.0,1);
CREATE TABLE stories (
	id BIGINT NOT NULL, 
	ref VARCHAR NOT NULL, 
	issue VARCHAR, 
	ours BOOLEAN NOT NULL, 
	url VARCHAR NOT NULL, 
	state_id BIGINT, 
	epic_id BIGINT, 
	owner_ids JSON NOT NULL, 
	archived BOOLEAN NOT NULL, 
	created_at FLOAT NOT NULL, 
	updated_at FLOAT NOT NULL, 
	start JSON NOT NULL, 
	told JSON NOT NULL, 
	untold BOOLEAN NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE story_readings (
	name VARCHAR NOT NULL, 
	since FLOAT NOT NULL, 
	at FLOAT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "story_readings" VALUES('shortcut',1796088437.0,1.79608843743490362169e+09);
CREATE TABLE sweeps (
	name VARCHAR NOT NULL, 
	since FLOAT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE INDEX batches_open ON batches (state, run_id);
CREATE INDEX cases_trace ON cases (trace_key);
CREATE INDEX commands_due ON commands (state, lane, next_attempt_at);
CREATE INDEX commands_issue ON commands (issue);
CREATE INDEX commands_run ON commands (run_id, state);
CREATE INDEX issues_repo_title ON issues (repo, title_key);
CREATE INDEX examples_repo ON examples (repo, created_at);
CREATE INDEX corrections_issue ON corrections (issue, at);
CREATE INDEX inbox_open ON inbox (state, received_at);
CREATE INDEX inbox_body ON inbox (body_hash);
CREATE INDEX stories_ref ON stories (ref);
CREATE INDEX cases_updated ON cases (updated_at);
CREATE INDEX installed_by ON installed (installation_id);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_subject ON audit (subject, at);
CREATE UNIQUE INDEX documents_key ON documents ("key");
CREATE INDEX answers_key ON answers ("key");
CREATE INDEX answers_spent ON answers (kind, at);
COMMIT;
