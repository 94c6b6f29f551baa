// Groups are made and files imported, through the operations of AWS's control plane.
import { h, fill, aws, arn, commands, field, select, note, failed, line } from "./ui.js";

const types = { Interactions: "interactions", Items: "items", Users: "users" };
const string = (name, more) => ({ name, type: "string", ...more });
const usual = {
    Interactions: [string("USER_ID"), string("ITEM_ID"), string("EVENT_TYPE"),
        { name: "TIMESTAMP", type: "long" }],
    Items: [string("ITEM_ID"), { name: "NAME", type: ["null", "string"] },
        { name: "CATEGORY_L1", type: ["null", "string"], categorical: true }],
    Users: [string("USER_ID"), { name: "AGE", type: ["null", "int"] },
        { name: "GENDER", type: ["null", "string"], categorical: true }],
};
const schema_of = (type) => JSON.stringify({ type: "record", name: type,
    namespace: "com.amazonaws.personalize.schema", fields: usual[type], version: "1.0" }, null, 2);

// A group with that name; null where the server is for one group.
export function new_group(app) {
    if (app.server.single)
        return null;
    const name = h("input", { id: "new-group", required: true, maxlength: 63, autocomplete: "off",
        pattern: "[a-zA-Z0-9][a-zA-Z0-9_\\-]*", spellcheck: "false", autocapitalize: "off" });
    const said = h("div", { role: "status" });
    async function run(e) {
        e.preventDefault();
        try {
            await aws("CreateDatasetGroup", { name: name.value });
            location.hash = "#/" + encodeURIComponent(name.value) + "/overview";
        } catch (err) {
            fill(said, failed(err));
        }
    }
    return [h("form", { on: { submit: run } }, h("div", { class: "fields" },
        field("A new group", name), h("button", { type: "submit" }, "Make"))), said];
}

async function until_made(job, say) {
    for (;;) {
        const j = (await aws("DescribeDatasetImportJob", { datasetImportJobArn: job })).datasetImportJob;
        if (j.status === "ACTIVE")
            return;
        if (j.status.includes("FAILED"))
            throw new Error(j.failureReason || "The import failed.");
        say(j.status.replace("CREATE ", "").replace("_", " ").toLowerCase());
        await new Promise((done) => setTimeout(done, 300));
    }
}

// A file below the server's --s3-root into a dataset; a schema is asked for where there is
// none yet.
export function import_form(app) {
    const g = app.group;
    const there = (type) => g.datasets.some((d) => d.dataset === types[type]);
    const first = Object.keys(types).find((t) => !there(t)) || "Interactions";
    const type = select({ id: "type" }, Object.keys(types).map((t) => [t, t]), first);
    const from = h("input", { id: "location", required: true, pattern: "s3://[^\\/]+/.+",
        placeholder: "s3://bucket/interactions.csv", autocomplete: "off", spellcheck: "false",
        autocapitalize: "off" });
    const mode = select({ id: "mode" }, [["FULL", "replaces what is there"],
        ["INCREMENTAL", "adds to it"]], "FULL");
    const schema = h("textarea", { id: "schema", rows: 12, spellcheck: "false" });
    const how = field("Schema: the columns that are taken", schema, "grow");
    const said = h("div", { role: "status" });
    const lines = h("div");
    const button = h("button", { type: "submit" }, "Import");

    function adapt() {
        const fresh = !there(type.value);
        how.hidden = !fresh;
        mode.closest("label").hidden = fresh;
        tell();
    }
    function tell() {
        fill(lines, commands("On the command line", line("pz-import", "-g", g.path, "-t",
            types[type.value], !there(type.value) ? ["-s", "schema.json"]
                : mode.value === "FULL" ? null : ["--mode", "incremental"],
            from.value.startsWith("s3://") ? app.server.files + from.value.slice(4)
                : types[type.value] + ".csv")));
    }

    async function run(e) {
        e.preventDefault();
        const stamp = Date.now();
        const group = arn(app, "dataset-group", g.name);
        const name = g.name + "-" + types[type.value];
        button.disabled = true;
        fill(said);
        try {
            const { datasets } = await aws("ListDatasets", { datasetGroupArn: group });
            let set = datasets.find((d) => d.datasetType === type.value.toUpperCase());
            if (!set) {
                const { schemaArn } = await aws("CreateSchema", { name: name + "-" + stamp,
                    schema: schema.value });
                set = await aws("CreateDataset", { name, schemaArn, datasetGroupArn: group,
                    datasetType: type.value });
            }
            const job = await aws("CreateDatasetImportJob", { jobName: "console-" + stamp,
                datasetArn: set.datasetArn, dataSource: { dataLocation: from.value },
                roleArn: "arn:aws:iam::000000000000:role/console", importMode: mode.value });
            await until_made(job.datasetImportJobArn, (text) => {
                said.textContent = "Import: " + text;
            });
            if (said.isConnected)
                await app.refresh();
        } catch (err) {
            fill(said, failed(err));
        }
        button.disabled = false;
    }
    type.addEventListener("change", () => {
        schema.value = schema_of(type.value);
        adapt();
    });
    from.addEventListener("input", tell);
    mode.addEventListener("change", tell);
    schema.value = schema_of(type.value);
    const form = h("form", { on: { submit: run } }, h("div", { class: "fields" },
        field("Dataset", type), field("File", from, "grow"), field("Which", mode), button),
    h("div", { class: "fields" }, how));
    adapt();
    return app.server.files ? [form, said, lines]
        : [note("", "Files are imported by the line below; on this page where pz-serve was started " +
            "with --s3-root."), lines];
}
