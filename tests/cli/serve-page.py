"""What serve-page.sh tells a browser to do. URL (one group, shop), URL (no group yet), pid
of the first server."""
import csv
import json
import os
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import Absent, Browser

MARKUP = "<img src=x onerror=alert(1)>"


def sh(line):
    return subprocess.run(line, shell=True, check=True, capture_output=True, text=True).stdout


def same(what, got, want):
    if got != want:
        raise AssertionError("%s\n  is     %s\n  wanted %s" % (what, got, want))
    print("ok", what)


def ids(page):
    return page.value("[...document.querySelectorAll('.list > li')].map(e => e.dataset.id)")


def overview(page, url):
    page.goto(url + "/")
    page.wait("location.hash === '#/shop/overview'")
    page.wait("document.querySelector('.findings')")
    info = json.loads(sh("pz-info -g shop --json"))
    rows = {d["dataset"]: d["rows"] for d in info["datasets"]}
    tiles = page.value("[...document.querySelectorAll('.tile')].map(e => "
                       "[e.children[1].textContent, e.children[0].textContent])")
    same("tiles are the counts of pz-info", dict(tiles)["interactions"],
         "{:,}".format(rows["interactions"]))
    same("a box plot a number", page.value("document.querySelectorAll('svg.box').length"), 5)
    same("a row a column", page.value("[...document.querySelectorAll('table')].filter(t => "
                                      "t.caption.textContent.startsWith('Columns of'))"
                                      ".map(t => t.tBodies[0].rows.length)"), [6, 7, 4])


def last_of(text, user):
    """Type and title of the newest row of a user."""
    rows = [r for r in csv.DictReader(text.splitlines()) if r["USER_ID"] == user]
    items = {r["ITEM_ID"]: r["NAME"] for r in csv.DictReader(
        sh("pz-info -g shop --export items").splitlines())}
    newest = max(rows, key=lambda r: int(r["TIMESTAMP"]))
    return newest["EVENT_TYPE"] + " " + items[newest["ITEM_ID"]]


def recommend(page):
    page.click("nav a", "Recommend")
    page.wait("document.activeElement.id === 'who'")
    page.type("u1")
    page.press("Enter")
    page.wait("document.querySelectorAll('.list > li').length === 10")
    want = [line.split("\t")[1:3] for line in sh(
        "pz-recommend -g shop -S personal -n 10 --metadata NAME u1 | cut -f 1,2,4").splitlines()]
    got = page.value("[...document.querySelectorAll('.list > li')].map(e => "
                     "[e.dataset.id, e.querySelector('.name').textContent])")
    same("items and titles are those of pz-recommend", got, want)
    same("the title with markup is text", MARKUP in dict(got).values(), True)
    same("nothing became an image", page.value("document.images.length"), 0)
    said = page.value("document.querySelector('#said').textContent")
    same("the answer is announced", said.startswith("10 items for u1"), True)
    same("in a live region",
         page.value("document.querySelector('#said').ariaLive"), "polite")
    line = page.value("document.querySelector('.cmd code').textContent")
    shown = [row.split("\t")[1] for row in sh(line).splitlines()]
    same("the line beside it says the same", sorted(set(shown), key=shown.index),
         [row[0] for row in want])
    page.click(".list > li:first-child summary", "Why")
    page.wait("document.querySelector('.list details[open] .why')")
    same("reasons and their sum",
         page.value("document.querySelectorAll('.list details[open] .why .num').length"), 10)
    same("what the user did last", page.value(
        "document.querySelector('.history li').textContent").split(" 20")[0],
         last_of(sh("pz-info -g shop --export interactions"), "u1"))
    page.click("#whyitem")
    page.type("i120")
    page.click("button", "Explain")
    page.wait("document.querySelector('#whysaid .sum')")
    raw = json.loads(sh("pz-recommend -g shop -S personal --json --explain --rank i120 u1"))
    same("an item that is not among them is explained",
         page.value("document.querySelector('#whysaid .num.sum').textContent"),
         "%.4g" % raw["output"]["explanation"][0]["rawScore"])
    line = page.value("document.querySelector('#whysaid .cmd code').textContent")
    same("as the line says", line.endswith(" -S personal --rank i120 --explain u1"), True)
    same("which works", len(sh(line).splitlines()) > 0, True)
    page.choose("#campaign", "similar")
    page.click("#who")
    page.type("striped camp stove no. 407")
    page.wait("document.querySelector('datalist option').value === 'i93'")
    page.press("Enter")
    page.wait("document.querySelector('#said').textContent.includes('(i93)')")
    same("an item is found by its title", ids(page),
         [r.split("\t")[1] for r in sh("pz-recommend -g shop -S similar -n 10 i93").splitlines()])
    page.value("document.querySelector('#who').value = ''")
    page.click("#who")
    page.type("i1")
    page.click("button", "Recommend")
    page.wait("document.querySelector('#said').textContent.includes('(i1)')")
    same("related items", ids(page),
         [r.split("\t")[1] for r in sh("pz-recommend -g shop -S similar -n 10 i1").splitlines()])


def filters(page):
    page.click("nav a", "Filters")
    page.click("#expression")
    page.type("INCLUDE ItemID WHERE Items.PRIZE < 20")
    said = page.wait("document.querySelector('#verdict .bad') && "
                     "document.querySelector('#verdict .bad').textContent")
    same("the mistake is shown while typing", said.split(";")[0],
         "Line 1, column 28: Items has no field 'PRIZE'")
    same("and marked", page.value("document.querySelector('#expression').ariaInvalid"), "true")
    same("it cannot be saved", page.value("document.querySelector('form button').disabled"), True)
    page.value("document.querySelector('#expression').select()")
    page.type("INCLUDE ItemID WHERE Items.PRICE < $MAX")
    page.wait("document.querySelector('[data-name=MAX]')")
    page.click("[data-name=MAX]")
    page.type("20")
    kept = page.wait("document.querySelector('#kept') && "
                     "document.querySelector('#kept').textContent")
    line = page.value("document.querySelector('.cmd code').textContent")
    want = [s for s in sh(line).splitlines() if s.startswith("  matches")][0].split()
    same("so many pass as pz-filter says", kept, "%s of %s items pass" % (want[1], want[3]))
    page.click("#tried")
    page.type("i40")
    page.wait("document.querySelector('#verdict .warn')")
    same("and what becomes of an item", page.value("document.querySelector('#verdict .warn')"
         ".textContent"), sh("printf 'u\\ti40\\t1\\n' | pz-filter -g shop --explain -V MAX=20 "
                             "'INCLUDE ItemID WHERE Items.PRICE < $MAX'").split("\t")[3].strip())
    page.click("#name")
    page.type("cheap")
    page.press("Enter")
    page.wait("[...document.querySelectorAll('.card button')].some(e => e.textContent === 'cheap')")
    same("what was saved is there for all tools", sh("pz-filter -g shop --list"),
         "cheap\tINCLUDE ItemID WHERE Items.PRICE < $MAX\n")
    page.click("nav a", "Recommend")
    page.choose("#campaign", "personal")
    page.value("document.querySelector('#who').value = 'u1'")
    page.choose("#filter", "cheap")
    page.click("[data-name=MAX]")
    page.type("20")
    page.click("button", "Recommend")
    page.wait("document.querySelector('.cmd code').textContent.includes('MAX=20')")
    same("recommendations through it", ids(page), [r.split("\t")[1] for r in sh(
        "pz-recommend -g shop -S personal -n 10 -F cheap -V MAX=20 u1").splitlines()])
    page.choose("#filter", "")
    page.choose("#promote", "cheap")
    page.value("document.querySelector('[data-name=MAX]').value = ''")
    page.click("[data-name=MAX]")
    page.type("5")
    page.click("button", "Recommend")
    line = page.wait("[...document.querySelectorAll('.cmd code')].map(e => e.textContent)"
                     ".find(t => t.includes('--promote 20:cheap -V MAX=5'))")
    shown = [row.split("\t")[1] for row in sh(line.replace(" --explain", "")).splitlines()]
    same("promoted items are where the line puts them", ids(page), shown)
    same("and are marked", page.value("document.querySelectorAll('.list .tag').length"), 2)
    page.choose("#promote", "")


def events(page):
    page.click("nav a", "Events")
    page.wait("document.querySelector('[role=status]') && "
              "document.body.innerText.includes('No events yet')")
    body = json.dumps({"userId": "<b>eve</b>", "itemId": "i82", "eventType": "View",
                       "timestamp": 1735689600, "DEVICE": "phone"})
    subprocess.run(["pz-event", "-q", "-g", "shop"], input=body, text=True, check=True)
    began = time.monotonic()
    row = page.wait("[...document.querySelectorAll('tbody tr')].map(r => "
                    "[...r.children].map(c => c.textContent.trim()))[0]")
    same("an event of pz-event arrives", row,
         ["2025-01-01 00:00:00", "View", "<b>eve</b>", MARKUP + " i82", "", "DEVICE phone"])
    same("without being asked for", time.monotonic() - began < 15, True)
    page.click("#put-user")
    page.type("ann")
    page.click("#put-item")
    page.type("i5")
    page.click("button", "Put")
    page.wait("document.querySelectorAll('tbody tr').length === 2")
    same("one that is put here too", page.value(
        "[...document.querySelector('tbody tr').children].map(c => c.textContent.trim())")[1:4],
         ["View", "ann", "Plain Cookie cutters no. 482 i5"])
    sh(page.value("document.querySelector('.cmd code').textContent"))
    page.wait("document.querySelectorAll('tbody tr').length === 3")
    print("ok and the line on the page puts one")
    same("and nothing in it is markup",
         page.value("document.querySelectorAll('td b, td img').length"), 0)


def put(page):
    """An event by a click counts in the next list."""
    page.click("nav a", "Recommend")
    page.choose("#filter", "")
    page.choose("#campaign", "personal")
    page.value("document.querySelector('#who').value = 'newcomer'")
    page.click("button", "Recommend")
    page.wait("document.querySelector('#said').textContent.includes('for newcomer') && "
              "document.querySelector('#answer .warn')")
    first = ids(page)
    page.choose("[data-name=device]", "tablet")
    page.click(".list > li:nth-child(3) button", "View it")
    page.wait("!document.querySelector('#answer .warn') && document.querySelector('.moved')")
    want = sh("pz-recommend -g shop -S personal -n 10 newcomer").splitlines()
    same("a click on an item counts", ids(page), [r.split("\t")[1] for r in want])
    same("what moved is told of", page.value("[...document.querySelectorAll('.list > li')].every("
         "(e, i) => !!e.querySelector('.moved') === (%s.indexOf(e.dataset.id) !== i))"
                                             % json.dumps(first)), True)
    row = sh("pz-info -g shop --export events").splitlines()[-1]
    same("and is stored", all(x in row for x in ("newcomer", first[2], "View", "tablet")), True)


def patient(page):
    """However slow the machine is, the second click of two comes in time."""
    page.value("(f => { window.setTimeout = (fn, ms) => f(fn, ms === 3000 ? 300000 : ms); })"
               "(window.setTimeout)")


def models(page):
    patient(page)
    page.click("nav a", "Models")
    page.wait("document.querySelectorAll('.card .bars').length")
    same("eight metrics of three versions",
         page.value("[document.querySelectorAll('.card .bars').length, "
                    "document.querySelectorAll('.card .bars .rule').length]"), [8, 24])
    page.click("tbody tr:last-child input[type=checkbox]")
    page.wait("document.querySelectorAll('.card .bars .rule').length === 16")
    print("ok one less is compared")
    page.click("#solution")
    page.type("again")
    page.wait("document.querySelectorAll('#recipe option').length > 5")
    page.choose("#recipe", "aws-sims")
    page.wait("document.querySelector('[data-param=popularity_discount_factor]')")
    page.click("#settings summary")
    page.click("[data-param=popularity_discount_factor]")
    page.type("0.75")
    page.click("[data-param=max_user_history_length_percentile]")
    page.type("0.9")
    line = page.wait("[...document.querySelectorAll('.cmd code')].map(e => e.textContent)"
                     ".find(t => t.startsWith('pz-train') && t.includes('percentile=0.9'))")
    same("hyperparameters are in the line", " -S again -p popularity_discount_factor=0.75 "
         "-p max_user_history_length_percentile=0.9" in line, True)
    page.click("button", "Train")
    page.wait("[...document.querySelectorAll('tbody th')].some(e => e.textContent === 'again')")
    info = json.loads(sh("pz-info -g shop --json"))
    same("a click trains", [[m["recipe"], m["params"]["popularity_discount_factor"],
                             m["params"]["max_user_history_length_percentile"]]
                            for m in info["models"] if m["solution"] == "again"],
         [["aws-sims", "0.75", "0.9"]])
    page.click("#campaign-name")
    page.type("front")
    page.choose("#serve", "again/$LATEST")
    page.click("button", "Serve")
    page.wait("document.querySelector('[aria-label=\"Delete campaign front\"]')")
    body = json.dumps({"campaignArn": "arn:aws:personalize:us-east-1:000000000000:campaign/front",
                       "itemId": "i1", "numResults": 1})
    same("focus is back where it was", page.value("document.activeElement !== document.body"),
         True)
    same("a click makes a campaign", "itemId" in sh(
        "curl -s %s/recommendations -d '%s'" % (page.value("location.origin"), body)), True)
    page.click("[aria-label='Delete campaign front']")
    time.sleep(0.3)
    same("one click deletes nothing", page.value(
        "document.querySelector('[aria-label=\"Delete campaign front\"]').textContent"), "Really?")
    page.click("[aria-label='Delete campaign front']")
    page.wait("!document.querySelector('[aria-label=\"Delete campaign front\"]')")
    print("ok two do")


# ---- for all views ----

# Names, labels, heads: what a screen reader needs; and colours that can be read.
AUDIT = """(() => {
    const wrong = [];
    const seen = (e) => e.getClientRects().length && getComputedStyle(e).visibility !== "hidden";
    const name = (e) => (e.getAttribute("aria-label") || e.textContent || e.title || "").trim();
    for (const e of document.querySelectorAll("input, select, textarea"))
        if (seen(e) && !e.getAttribute("aria-label") &&
            ![...e.labels].some((l) => l.querySelector("span").textContent.trim()))
            wrong.push("no label: " + e.outerHTML);
    for (const e of document.querySelectorAll("button, a, summary"))
        if (seen(e) && !name(e))
            wrong.push("no name: " + e.outerHTML);
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    if (new Set(ids).size !== ids.length)
        wrong.push("an id twice");
    if (document.querySelectorAll("h1").length !== 1)
        wrong.push("not one h1");
    for (const t of document.querySelectorAll("table"))
        if (!t.caption || [...t.tHead.rows[0].cells].some((c) => c.scope !== "col") ||
            [...t.tBodies[0].rows].some((r) => r.cells[0].scope !== "row"))
            wrong.push("a table without heads: " + t.caption.textContent);
    for (const e of document.querySelectorAll("svg, .rule"))
        if (!e.getAttribute("aria-label") && e.getAttribute("aria-hidden") !== "true")
            wrong.push("a picture without words");
    let level = 1;
    for (const e of document.querySelectorAll("main h1, main h2, main h3")) {
        if (+e.tagName[1] > level + 1 && !(e.tagName === "H3" && level === 1))
            wrong.push("a level of headings is left out: " + e.textContent);
        level = +e.tagName[1];
    }
    if (document.documentElement.scrollWidth > innerWidth)
        wrong.push("wider than the window: " + document.documentElement.scrollWidth);
    const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
    const light = (c) => {
        const f = c.slice(0, 3).map((v) => v / 255)
            .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * f[0] + 0.7152 * f[1] + 0.0722 * f[2];
    };
    const behind = (e) => {
        for (; e; e = e.parentElement) {
            const c = parse(getComputedStyle(e).backgroundColor);
            if (c.length === 3 || c[3] === 1)
                return c;
        }
        return [255, 255, 255];
    };
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const e = walk.currentNode.parentElement;
        if (!walk.currentNode.textContent.trim() || !seen(e) || e.closest("[disabled], .skip, noscript"))
            continue;
        const a = light(parse(getComputedStyle(e).color)), b = light(behind(e));
        const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (contrast < 4.5)
            wrong.push("contrast " + contrast.toFixed(2) + ": " + walk.currentNode.textContent);
    }
    return [...new Set(wrong)];
})()"""


def audit(browser, url):
    views = ["overview", "models", "recommend?campaign=personal&id=u1",
             "filters?text=INCLUDE%20ItemID%20WHERE%20Items.PRICE%20%3C%20%24MAX", "events"]
    for width, height, dark in ((1280, 900, False), (1280, 900, True), (390, 844, False),
                                (390, 844, True), (320, 640, False)):
        page = browser.page(width, height, dark)
        for view in views:
            page.goto("about:blank")
            page.goto(url + "/#/shop/" + view)
            page.wait("document.querySelector('main h1') && document.querySelector('.cmd') && "
                      "!document.body.innerText.includes('\\u2026\\n')")
            page.value("document.querySelectorAll('details').forEach(e => { e.open = true; })")
            wrong = page.value(AUDIT)
            if wrong:
                raise AssertionError("%s at %d, dark %s:\n  %s" % (
                    view, width, dark, "\n  ".join(wrong)))
        if page.complaints:
            raise AssertionError(page.complaints)
    print("ok all views, wide and narrow, light and dark: labels, heads, contrast, no overflow")


def keyboard(page, url):
    page.goto("about:blank")
    page.goto(url + "/#/shop/models")
    page.wait("document.querySelector('.cmd')")
    page.press("Tab")
    same("the first stop skips the frame",
         page.value("document.activeElement.className"), "skip")
    same("and is seen", page.value("document.activeElement.getBoundingClientRect().x >= 0"), True)
    page.press("Enter")
    page.wait("document.activeElement.id === 'main'")
    page.press("Tab", shift=True)
    page.wait("document.activeElement.closest('nav')")
    ring = page.value("getComputedStyle(document.activeElement).outlineStyle + ' ' + "
                      "parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
    same("focus has a ring", ring, "solid 3")
    same("the last view is Events", page.value("document.activeElement.textContent"), "Events")
    page.press("Enter")
    page.wait("location.hash === '#/shop/events'")
    page.wait("document.querySelector('.cmd')")
    same("and focus stays", page.value("document.activeElement.textContent"), "Events")
    # Every stop of the page by Tab, none twice before the end and none without a ring.
    page.goto(url + "/#/shop/filters")
    page.wait("document.querySelector('#expression')")
    stops = []
    for _ in range(80):
        page.press("Tab")
        e = page.value("(e => e === document.body ? null : [e.tagName, e.id || e.textContent, "
                       "getComputedStyle(e).outlineStyle])(document.activeElement)")
        if e is None or (stops and e[1] == stops[0][1]):
            break
        stops.append(e)
    same("no stop without a ring", [e for e in stops if e[2] != "solid"], [])
    same("the editor is among them", "expression" in [e[1] for e in stops], True)


def nothing_yet(page, url):
    page.goto(url + "/")
    page.wait("document.querySelector('h1') && "
              "document.querySelector('h1').textContent === 'No groups yet'")
    line = page.value("document.querySelector('.cmd code').textContent")
    same("it says how to make one", line.startswith("pz-import -g "), True)
    subprocess.run(line + " >/dev/null", shell=True, check=True)
    page.wait("location.hash === '#/shop/overview'")
    page.wait("document.querySelectorAll('.tile').length")
    print("ok the line makes a group, which appears")
    page.click("nav a", "Recommend")
    page.wait("document.body.innerText.includes('no model to ask yet')")
    print("ok without a model it says how to make one")


def groups(page, url):
    """A second group beside the one that was made."""
    os.rename("copy", "none/other")
    page.goto("about:blank")
    page.goto(url + "/#/shop/models")
    page.wait("document.querySelectorAll('#group option').length === 2")
    page.choose("#group", "other")
    page.wait("location.hash === '#/other/models' && document.querySelector('.cmd')")
    page.wait("document.querySelector('.cmd code').textContent.includes('/none/other ')")
    print("ok the other group, in the same view")
    page.wait("document.querySelectorAll('#recipe optgroup').length === 2")
    page.choose("#recipe", "aws-ecomm-popular-items-by-views")
    page.value("document.querySelector('#solution').value = 'viewed'")
    page.click("button", "Train")
    page.wait("document.querySelector('[aria-label=\"Delete recommender viewed\"]')")
    body = json.dumps({"recommenderArn":
                       "arn:aws:personalize:us-east-1:000000000000:recommender/viewed",
                       "userId": "u1", "numResults": 1})
    same("a use case of the domain becomes a recommender", "itemId" in sh(
        "curl -s %s/recommendations -d '%s'" % (url, body)), True)
    patient(page)
    page.click("[aria-label='Delete recommender viewed']")
    page.wait("document.querySelector('[aria-label=\"Delete recommender viewed\"]')"
              ".textContent === 'Really?'")
    page.click("[aria-label='Delete recommender viewed']")
    page.wait("!document.querySelector('[aria-label=\"Delete recommender viewed\"]')")
    print("ok and can be deleted")
    page.value("history.back()")
    page.wait("document.querySelector('.cmd code').textContent.includes('/none/shop ')")
    same("and back", page.value("document.querySelector('#group').value"), "shop")
    os.rename("least", "none/least")
    page.goto("about:blank")
    page.goto(url + "/#/least/overview")
    page.wait("document.querySelector('.findings')")
    same("a group with the three columns that are needed", page.value(
        "[...document.querySelectorAll('tbody th, tbody td:first-child')]"
        ".map(e => e.textContent)")[-3:], ["USER_ID", "ITEM_ID", "TIMESTAMP"])


def imports(page):
    """A group and its datasets by clicks alone."""
    page.click("nav a", "Overview")
    page.click("#new-group")
    page.type("lab")
    page.press("Enter")
    page.wait("location.hash === '#/lab/overview' && "
              "document.body.innerText.includes('no datasets yet')")
    page.click("#location")
    page.type("s3://data/interactions.csv")
    page.click("button", "Import")
    page.wait("document.querySelector('.tile b')")
    page.wait("document.querySelector('.tile b').textContent !== '0'")
    info = json.loads(sh("pz-info -g none/lab --json"))
    same("clicks import", [(d["dataset"], d["rows"]) for d in info["datasets"]],
         [("interactions", len(open("interactions.csv").readlines()) - 1)])
    page.wait("document.querySelector('#type') && document.querySelector('#type').value === 'Items'")
    page.click("#location")
    page.type("s3://data/items.csv")
    line = page.value("[...document.querySelectorAll('.cmd code')].pop().textContent")
    same("the line names the file", line.endswith("/files/data/items.csv"), True)
    page.value("document.querySelector('#schema').value = %s"
               % json.dumps(open("schemas/shop-items.json").read()))
    page.click("button", "Import")
    page.wait("[...document.querySelectorAll('.tile')].some(e => "
              "e.textContent === '120items described')")
    print("ok with a schema of one's own")
    page.click("#location")
    page.type("s3://data/nothing.csv")
    page.click("button", "Import")
    page.wait("document.querySelector('main form ~ [role=status] .bad')")
    print("ok a file that is not there is told of")
    page.click("nav a", "Events")
    page.click("#put-user")
    page.type("ann")
    page.click("#put-item")
    page.type("i5")
    page.click("button", "Put")
    page.wait("document.querySelectorAll('tbody tr').length === 1")
    same("an event among several groups finds its tracker", "ann" in sh(
        "pz-info -g none/lab --export events"), True)


def gone(page, url, server):
    page.goto("about:blank")
    page.goto(url + "/#/shop/events")
    page.wait("document.querySelectorAll('tbody tr').length")
    os.kill(server, signal.SIGTERM)
    page.wait("document.querySelector('#state').textContent === 'The server does not answer'")
    same("what was there stays", page.value("document.querySelectorAll('tbody tr').length") > 0,
         True)
    page.click("nav a", "Models")
    page.wait("document.querySelector('h1').textContent === 'This did not work' && "
              "document.querySelector('[role=alert]')")
    print("ok a server that is gone is told of")


def main():
    try:
        browser = Browser()
    except Absent as e:
        print(e)
        sys.exit(77)
    try:
        page = browser.page()
        overview(page, sys.argv[1])
        recommend(page)
        filters(page)
        events(page)
        put(page)
        models(page)
        keyboard(page, sys.argv[1])
        audit(browser, sys.argv[1])
        nothing_yet(page, sys.argv[2])
        groups(page, sys.argv[2])
        imports(page)
        same("no script that was refused or failed",
             [c for c in page.complaints if "status of 400" not in c], [])
        same("no dialog", page.dialogs, 0)
        gone(page, sys.argv[1], int(sys.argv[3]))
    finally:
        browser.close()


main()
