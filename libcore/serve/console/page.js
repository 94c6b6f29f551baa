// The frame of the console: which group and view the address names, and loading it.
import { h, fill, ask, onState, command, failed, note } from "./ui.js";
import { overview } from "./overview.js";
import { new_group } from "./import.js";
import { models } from "./models.js";
import { recommend } from "./recommend.js";
import { filters } from "./filters.js";
import { events } from "./events.js";

const views = [
    ["overview", "Overview", overview],
    ["models", "Models", models],
    ["recommend", "Recommend", recommend],
    ["filters", "Filters", filters],
    ["events", "Events", events],
];
const main = document.getElementById("main");
const nav = document.getElementById("nav");
const picker = document.getElementById("group");
const state = document.getElementById("state");

// What views get: the server, the group at hand, and what the address says behind '?'.
const app = { server: null, group: null, memory: {}, refresh, go, address };
let leave = null; // ends what the view on show began
let turn = 0; // of show(): answers that come late are let go of

// #/GROUP/VIEW?NAME=VALUE
function address() {
    const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
    const [group, view] = path.split("/").map(decodeURIComponent);
    return { group: group || "", view: view || "", values: new URLSearchParams(query || "") };
}

export function link(group, view, values) {
    const query = values ? "?" + new URLSearchParams(values) : "";
    return "#/" + encodeURIComponent(group) + "/" + view + query;
}

function go(view, values) {
    location.hash = link(app.group.name, view, values);
}

function frame(at) {
    const groups = app.server.groups;
    fill(picker, groups.map((g) =>
        h("option", { value: g.name, selected: g.name === at.group }, g.name)));
    picker.hidden = groups.length < 2;
    document.getElementById("only").textContent = groups.length === 1 ? at.group : "";
    picker.closest("label").hidden = !groups.length;
    const stop = nav.contains(document.activeElement);
    fill(nav, groups.length ? views.map(([name, text]) =>
        h("a", { href: link(at.group, name), "aria-current": name === at.view ? "page" : null },
            text)) : null);
    const on = nav.querySelector("[aria-current]");
    if (on)
        on.scrollIntoView({ inline: "center", block: "nearest" });
    if (on && stop)
        on.focus(); // the link that was followed is another one now
    const view = views.find((v) => v[0] === at.view);
    document.title = (view && groups.length ? view[1] + " - " + at.group + " - " : "") +
        "pz console";
    fill(document.getElementById("foot"), "pz " + app.server.version + ", " +
        (app.server.single ? "one group, " : "groups in ") + app.server.root);
}

function empty() {
    const dir = app.server.root + "/shop";
    fill(main, h("h1", null, "No groups yet"),
        h("p", null, "A group is a folder with everything of one recommender: datasets, models, " +
            "events. These lines make one here, and it appears on this page by itself."),
        command("pz-import -g " + dir + " -t interactions interactions.csv"),
        command("pz-import -g " + dir + " -t items items.csv"),
        command("pz-train -g " + dir + " -r aws-user-personalization -S personal"),
        command("pz-recommend -g " + dir + " -n 10 u1"), new_group(app),
        h("p", { class: "hint" }, "interactions.csv has the columns USER_ID, ITEM_ID, TIMESTAMP " +
            "and what else is known of an event."));
    watch(turn);
}

// Looks for a first group while nothing else is shown.
function watch(mine) {
    setTimeout(async () => {
        if (mine !== turn)
            return;
        try {
            const { groups } = await ask("groups", {});
            if (groups.length) {
                show();
                return;
            }
        } catch {
            // the next look tells more
        }
        watch(mine);
    }, 2000);
}

async function show(keep) {
    const mine = ++turn;
    const at = address();
    try {
        app.server = await ask("groups", {});
        if (mine !== turn)
            return;
        const names = app.server.groups.map((g) => g.name);
        if (names.length && (!names.includes(at.group) || !views.some((v) => v[0] === at.view))) {
            const group = names.includes(at.group) ? at.group : names[0];
            location.replace(link(group, "overview"));
            return;
        }
        frame(at);
        if (!names.length) {
            empty();
            return;
        }
        if (!app.group || app.group.name !== at.group) {
            app.group = null;
            app.memory = {};
        }
        if (!keep && !app.group)
            fill(main, h("p", { class: "quiet" }, "Loading " + at.group + "\u2026"));
        app.group = await ask("group", { groupName: at.group });
        if (mine !== turn)
            return;
        if (leave)
            leave();
        leave = null;
        const { id } = document.activeElement, y = scrollY;
        const inside = main.contains(document.activeElement);
        fill(main);
        leave = views.find((v) => v[0] === at.view)[2](main, app) || null;
        scrollTo(0, keep ? y : 0);
        // Who was in the middle of something stays there.
        if (keep && inside)
            ((id && document.getElementById(id)) || main).focus({ preventScroll: true });
    } catch (e) {
        if (mine !== turn)
            return;
        fill(main, h("h1", null, "This did not work"), failed(e),
            h("p", null, h("button", { on: { click: () => show() } }, "Try again")));
        if (e.status === 403)
            main.append(note("", "Open the console under the address that pz-serve printed."));
    }
}

// The group was changed: shows it as it is now.
function refresh() {
    return show(true);
}

onState((well) => {
    state.textContent = well ? "" : "The server does not answer";
    state.classList.toggle("bad", !well);
});
picker.addEventListener("change", () => {
    location.hash = link(picker.value, address().view || "overview");
});
document.querySelector(".skip").addEventListener("click", (e) => {
    e.preventDefault(); // the fragment is an address here
    main.focus();
});
addEventListener("hashchange", () => show());
show();
