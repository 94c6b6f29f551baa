"""A headless Chromium, driven through its devtools protocol over a pair of pipes.

Browser() starts one, or raises Absent. page = browser.page(width, height) opens a tab:
goto, wait, click, type, press, value (of an expression), shot. What the page logs and
what it is refused is in page.complaints."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32, "ArrowDown": 40, "ArrowUp": 38}


# Where an element can be pressed: its middle, when that has not moved for a moment and nothing
# lies over it; and notes in window.clicked whether it is.
AIM = """async (e) => {
    const middle = () => {
        const r = e.getBoundingClientRect();
        return [r.x + r.width / 2, r.y + r.height / 2];
    };
    e.scrollIntoView({block: 'center'});
    const before = middle();
    await new Promise((done) => setTimeout(done, 30));
    const now = middle(), top = document.elementFromPoint(...now);
    window.clicked = false;
    e.addEventListener('click', () => { window.clicked = true; }, {capture: true, once: true});
    return before.join() === now.join() && e.contains(top) ? now : null;
}"""


class Absent(Exception):
    pass


class Browser:
    def __init__(self):
        path = next((p for p in map(shutil.which, NAMES) if p), None)
        if not path:
            raise Absent("no Chromium is installed")
        self.profile = tempfile.mkdtemp()
        theirs_in, self.to = os.pipe()
        self.back, theirs_out = os.pipe()

        def pipes():
            # Chromium reads from 3 and writes to 4; neither may be overwritten on the way.
            a, b = os.dup(theirs_in), os.dup(theirs_out)
            spare = [os.open(os.devnull, os.O_RDWR) for _ in range(8)]
            a, b = os.dup(a), os.dup(b)
            os.dup2(a, 3)
            os.dup2(b, 4)
            for fd in spare:
                if fd > 4:
                    os.close(fd)

        self.log = open(os.path.join(self.profile, "log"), "wb")
        self.child = subprocess.Popen(
            [path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--hide-scrollbars", "--force-color-profile=srgb",
             "--remote-debugging-pipe", "--user-data-dir=" + self.profile, "about:blank"],
            preexec_fn=pipes, close_fds=False, stdout=self.log, stderr=self.log,
            stdin=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.rest = b""
        self.n = 0
        self.pages = {}
        try:
            self.call("Browser.getVersion", seconds=60)
        except (OSError, TimeoutError, EOFError) as e:
            self.close()
            raise Absent("Chromium does not start here: %s" % e)

    def read(self, deadline):
        """The next message."""
        while b"\0" not in self.rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.back], [], [], left)[0]:
                raise TimeoutError("the browser does not answer")
            more = os.read(self.back, 1 << 20)
            if not more:
                raise EOFError("the browser has ended")
            self.rest += more
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def take(self, message):
        page = self.pages.get(message.get("sessionId"))
        if page and "method" in message:
            page.event(message["method"], message["params"])

    def call(self, method, session=None, seconds=120, **params):
        self.n += 1
        message = {"id": self.n, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + seconds
        while True:
            got = self.read(deadline)
            if got.get("id") == message["id"]:
                if "error" in got:
                    raise RuntimeError("%s: %s" % (method, got["error"]["message"]))
                return got["result"]
            self.take(got)

    def page(self, width=1280, height=900, dark=False):
        return Page(self, width, height, dark)

    def close(self):
        try:
            self.child.terminate()
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
        os.close(self.to)
        os.close(self.back)
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)


class Page:
    def __init__(self, browser, width, height, dark):
        self.b = browser
        self.complaints = []
        self.dialogs = 0
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.id = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.pages[self.id] = self
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"}])

    def call(self, method, **params):
        return self.b.call(method, self.id, **params)

    def event(self, method, params):
        if method == "Page.javascriptDialogOpening":
            self.dialogs += 1
            self.b.n += 1
            os.write(self.b.to, json.dumps(
                {"id": self.b.n, "sessionId": self.id, "method": "Page.handleJavaScriptDialog",
                 "params": {"accept": True}}).encode() + b"\0")
        elif method == "Runtime.exceptionThrown":
            d = params["exceptionDetails"]
            self.complaints.append(d.get("exception", {}).get("description") or d["text"])
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(params["entry"]["text"] + " " + params["entry"].get("url", ""))

    def value(self, expression):
        r = self.call("Runtime.evaluate", expression=expression, returnByValue=True,
                      awaitPromise=True)
        if "exceptionDetails" in r:
            raise RuntimeError(r["exceptionDetails"].get("exception", {}).get("description")
                               or r["exceptionDetails"]["text"])
        return r["result"].get("value")

    def wait(self, expression, seconds=60):
        """Until the expression is true, and no error; returns its value."""
        deadline = time.monotonic() + seconds
        while True:
            got = self.value("(() => { try { const v = %s; return v instanceof Node || v; } "
                             "catch { return false; } })()" % expression)
            if got:
                return got
            if time.monotonic() > deadline:
                raise TimeoutError("not within %d s: %s\n%s" % (
                    seconds, expression, self.value("document.body.innerText")[:2000]))
            time.sleep(0.05)

    def goto(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def find(self, selector, text=None):
        """JavaScript for the first element of the selector, visible and with that text."""
        return ("[...document.querySelectorAll(%s)].find(e => e.getClientRects().length && "
                "(%s === null || e.textContent.trim() === %s))"
                % (json.dumps(selector), json.dumps(text), json.dumps(text)))

    def click(self, selector, text=None, seconds=60):
        """Presses the mouse on an element. A page that moves while it loads takes the press
        elsewhere: it is aimed at what stands still, and again until the element has had it."""
        e = self.find(selector, text)
        deadline = time.monotonic() + seconds
        while True:
            self.wait("!!(%s)" % e)
            spot = self.value("(%s)(%s)" % (AIM, e))
            if spot:
                for kind in ("mousePressed", "mouseReleased"):
                    self.call("Input.dispatchMouseEvent", type=kind, x=spot[0], y=spot[1],
                              button="left", clickCount=1)
                if self.value("window.clicked"):
                    return
            if time.monotonic() > deadline:
                raise TimeoutError("%s %s cannot be clicked" % (selector, text))

    def type(self, text):
        self.call("Input.insertText", text=text)

    def press(self, key, shift=False):
        params = {"key": key, "code": "Space" if key == " " else key,
                  "windowsVirtualKeyCode": KEYS[key], "modifiers": 8 if shift else 0}
        if key in ("Enter", " "):
            params["text"] = "\r" if key == "Enter" else " "
        self.call("Input.dispatchKeyEvent", type="keyDown", **params)
        self.call("Input.dispatchKeyEvent", type="keyUp", **params)

    def choose(self, selector, value):
        """An option of a select."""
        self.wait("!!(%s)" % self.find(selector))
        self.value("(e => { e.focus(); e.value = %s; "
                   "e.dispatchEvent(new Event('change', {bubbles: true})); })(%s)"
                   % (json.dumps(value), self.find(selector)))

    def shot(self, path, whole=False):
        data = self.call("Page.captureScreenshot", format="png",
                         captureBeyondViewport=whole)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))
