// What is put, as it arrives.
import { h, add, fill, ask, commands, field, finder, table, failed, number, time, plural, line }
    from "./ui.js";
import { event_form } from "./put.js";

const KEPT = 200; // events on the page

// Puts one, as a client of PutEvents would.
function put_form(app) {
    const user = finder(app, () => "users", { id: "put-user", required: true });
    const item = finder(app, () => "items", { id: "put-item", required: true });
    const form = event_form(app, app.memory);
    const said = h("div", { role: "status" });
    async function run(e) {
        e.preventDefault();
        try {
            await form.put(user.input.value.trim(), await item.id());
            fill(said);
        } catch (err) {
            fill(said, failed(err));
        }
    }
    return app.group.datasets.some((d) => d.dataset === "interactions") ? [
        h("h2", null, "Put one"),
        h("form", { on: { submit: run } }, h("div", { class: "fields" },
            field("User", user.input), user.list, field("Item", item.input, "grow"), item.list,
            form.controls, h("button", { type: "submit" }, "Put")), said)]
        : null;
}

export function events(root, app) {
    const g = app.group;
    const box = h("div");
    const said = h("p", { class: "quiet", role: "status" }, "Looking\u2026");
    const pause = h("button", { type: "button", class: "small" }, "Pause");
    const seen = new Map(); // by kind and seq
    let stop = new AbortController();
    let paused = false, gone = false, after = null;

    function draw(fresh) {
        const list = [...seen.values()].sort((a, b) => b.seq - a.seq).slice(0, KEPT);
        if (!list.length) {
            fill(said, "No events yet. They appear here as soon as they are put.");
            fill(box);
            return;
        }
        fill(said, plural(list.length, "event") + ", the newest first" +
            (paused ? ", paused" : ""));
        fill(box, table("Events", [
            { name: "Time", cell: (e) => h("time", { datetime: e.time }, time(e.time)) },
            { name: "Type", cell: (e) => e.eventType || "" },
            { name: "User", cell: (e) => e.userId ? [e.userId, e.linked
                ? h("span", { class: "hint" }, " (by session)") : null]
                : h("span", { class: "quiet" }, "session " + e.sessionId) },
            { name: "Item", cell: (e) => [e.title || e.itemId || e.actionId || "", " ",
                e.title ? h("span", { class: "id" }, e.itemId) : null] },
            { name: "Value", num: true, cell: (e) => number(e.eventValue) },
            { name: "More", text: true, cell: (e) => Object.entries(e.properties || {}).map(([k, v]) =>
                h("span", { class: "chip" }, h("span", null, k + " "), String(v))) },
        ], list));
        const rows = box.querySelectorAll("tbody tr");
        list.forEach((e, i) => {
            if (fresh.has(e.seq)) {
                rows[i].classList.add("new");
                setTimeout(() => rows[i].classList.remove("new"), 1500);
            }
        });
    }

    async function follow() {
        while (!gone && !paused) {
            try {
                const q = { groupName: g.name };
                if (after !== null)
                    Object.assign(q, { after, waitSeconds: 20 });
                const began = Date.now();
                const r = await ask("events", q, stop.signal);
                if (gone)
                    return;
                // Too many wait already: then one looks now and then.
                if (q.waitSeconds && !r.events.length && Date.now() - began < 5000)
                    await new Promise((done) => setTimeout(done, 1000));
                const fresh = new Set(after === null ? [] : r.events.map((e) => e.seq));
                r.events.forEach((e) => seen.set(e.seq, e));
                if (r.events.length || after === null)
                    draw(fresh);
                after = r.last;
            } catch (e) {
                if (gone || e.name === "AbortError")
                    return;
                fill(said, failed(e));
                await new Promise((done) => setTimeout(done, 2000));
            }
        }
    }

    pause.addEventListener("click", () => {
        paused = !paused;
        pause.textContent = paused ? "Go on" : "Pause";
        if (paused) {
            stop.abort();
        } else {
            stop = new AbortController();
            follow();
        }
        draw(new Set());
    });
    add(root, h("h1", null, "Events"),
        h("div", { class: "meter" }, said, pause), box, put_form(app),
        commands("On the command line",
            "echo " + line(event_form(app, app.memory).sample()) + " | " +
                line("pz-event", "-g", g.path),
            line("pz-info", "-g", g.path, "--export", "events")));
    follow();
    return () => {
        gone = true;
        stop.abort();
    };
}
