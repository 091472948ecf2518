// Flows of real, unmodified Node clients against one lab, each by its name.
//
//     node flows.js FLOW SETTINGS
//
// SETTINGS is the lab's settings document. A flow prints one JSON object with what the client saw and leaves judging it to
// its caller, who also reads the lab's journal. Nothing is patched: the CA is trusted through NODE_EXTRA_CA_CERTS.

const fs = require("node:fs");
const { DynamicsWebApi } = require("dynamics-web-api");

/** A token by the secret, as any client asks for one. */
async function token(settings) {
    const { authority, client_id, client_secret } = settings.entra;
    const body = new URLSearchParams({
        grant_type: "client_credentials",
        client_id,
        client_secret,
        scope: settings.dataverse.resource + "/.default",
    });
    const response = await fetch(authority + "/oauth2/v2.0/token", { method: "POST", body });
    return (await response.json()).access_token;
}

function connected(settings) {
    return new DynamicsWebApi({
        serverUrl: settings.dataverse.url,
        dataApi: { version: "9.2" },
        onTokenRefresh: () => token(settings),
    });
}

/** What a call came to, or the error as the client hands it on. */
async function seen(call) {
    try {
        return await call;
    } catch (error) {
        return { error: { status: error.status, code: error.code, message: error.message } };
    }
}

const ID = "c0117050-0000-4000-8000-0000000f0001";

const flows = {
    /** Create, retrieve, update, delete; the row itself where it is preferred. */
    async dynamics_web_api_rows(settings) {
        const api = connected(settings);
        const collection = "accounts";
        const data = { name: "Forest Wholesales", accountnumber: "DE-010", revenue: 80000, customertypecode: 3 };
        const id = await api.create({ collection, data });
        const select = ["name", "revenue", "customertypecode"];
        const created = await api.retrieve({ collection, key: id, select, includeAnnotations: "*" });
        const returned = await api.create({ collection, data: { name: "Returned" }, returnRepresentation: true });
        const updated = await api.update({ collection, key: id, data: { name: "Renamed" } });
        const after = await api.retrieve({ collection, key: id, select: ["name"] });
        const deleted = await api.deleteRecord({ collection, key: id });
        const gone = await seen(api.retrieve({ collection, key: id }));
        const unknown = await seen(api.create({ collection, data: { Name: "case" } }));
        return { id, created, returned, updated, after, deleted, gone, unknown };
    },

    /** Upsert by id and by alternate key: once to create, once to update. */
    async dynamics_web_api_upsert(settings) {
        const api = connected(settings);
        const collection = "accounts";
        const name = async (key) => (await api.retrieve({ collection, key, select: ["name"] })).name;
        const byKey = "accountnumber='DE-020'";
        const result = { names: [] };
        for (const key of [ID, byKey]) {
            for (const text of ["first", "second"]) {
                await api.upsert({ collection, key, data: { name: text } });
                result.names.push(await name(key));
            }
        }
        result.count = (await api.retrieveMultiple({ collection, select: ["name"] })).value.length;
        return result;
    },

    /** If-Match and If-None-Match: what the client makes of a 412, and that the row stayed as it was. */
    async dynamics_web_api_conditions(settings) {
        const api = connected(settings);
        const collection = "accounts";
        await api.create({ collection, data: { accountid: ID, name: "first" } });
        const before = await api.retrieve({ collection, key: ID, select: ["name"] });
        const old = before["@odata.etag"];
        const key = ID;
        const again = await seen(api.retrieve({ collection, key, select: ["name"], ifnonematch: old }));
        await api.update({ collection, key, data: { name: "second" } });
        const result = {
            update: await seen(api.update({ collection, key, data: { name: "x" }, ifmatch: old })),
            remove: await seen(api.deleteRecord({ collection, key, ifmatch: old })),
            prevented: await seen(api.upsert({ collection, key, data: { name: "x" }, ifnonematch: "*" })),
            missing: await seen(
                api.upsert({
                    collection,
                    key: "c0117050-0000-4000-8000-0000000f0009",
                    data: { name: "x" },
                    ifmatch: "*",
                }),
            ),
            duplicate: await seen(api.create({ collection, data: { accountid: ID } })),
        };
        const after = await api.retrieve({ collection, key, select: ["name"] });
        return { ...result, again: again === null ? "null" : again, name: after.name };
    },

    /** Pages with annotations, by the client's own hand over hand and all at once. */
    async dynamics_web_api_pages(settings) {
        const api = connected(settings);
        const collection = "accounts";
        for (let number = 1; number <= 5; number++) {
            await api.create({ collection, data: { accountnumber: `P-${number}`, customertypecode: 3 } });
        }
        const request = {
            collection,
            select: ["accountnumber", "customertypecode"],
            orderBy: ["accountnumber asc"],
            maxPageSize: 2,
            includeAnnotations: "*",
            count: true,
        };
        const pages = [];
        let page = await api.retrieveMultiple(request);
        for (;;) {
            pages.push(page.value.map((row) => row.accountnumber));
            if (!page.oDataNextLink) break;
            page = await api.retrieveMultiple(request, page.oDataNextLink);
        }
        const all = await api.retrieveAll({ collection, select: ["accountnumber"] });
        const first = await api.retrieveMultiple(request);
        return {
            pages,
            all: all.value.length,
            count: first.oDataCount,
            formatted: first.value[0]["customertypecode@OData.Community.Display.V1.FormattedValue"],
        };
    },

    /** The functions of the service root, and what is not built. */
    async dynamics_web_api_functions(settings) {
        const api = connected(settings);
        const who = await api.callFunction("WhoAmI");
        const impersonated = await seen(api.callFunction({ functionName: "WhoAmI", impersonate: ID }));
        for (const name of ["first", "second", "third"]) {
            await api.create({ collection: "accounts", data: { name } });
        }
        const fetchXml =
            "<fetch count='2'><entity name='account'><attribute name='name'/><order attribute='name'/></entity></fetch>";
        const fetched = await api.fetch({ collection: "accounts", fetchXml });
        const all = await api.fetchAll({ collection: "accounts", fetchXml, includeAnnotations: "*" });
        const names = (answer) => answer.value.map((row) => row.name);
        return { user: who.UserId, impersonated, fetched: names(fetched), all: names(all) };
    },

    async dynamics_web_api_batch(settings) {
        const api = connected(settings);
        api.startBatch();
        api.create({ collection: "contacts", data: { lastname: "Other" }, contentId: "1" });
        api.create({
            collection: "accounts",
            data: { accountnumber: "N-1", "primarycontactid@odata.bind": "$1" },
            contentId: "2",
        });
        const made = await api.executeBatch();
        api.startBatch();
        api.retrieveMultiple({
            collection: "accounts",
            select: ["accountnumber"],
            filter: "startswith(accountnumber,'N-')",
            expand: [{ property: "primarycontactid", select: ["lastname"] }],
        });
        const [rows] = await api.executeBatch();
        api.startBatch();
        api.create({ collection: "accounts", data: { accountnumber: "N-2" } });
        api.create({ collection: "accounts", data: { accountnumber: "N-1" } });
        const refused = await api.executeBatch().catch((errors) => errors.map((one) => one.error.code));
        const count = await api.count({ collection: "accounts", filter: "startswith(accountnumber,'N-')" });
        return { made, rows: rows.value, refused, count };
    },
};

async function main() {
    const [name, path] = process.argv.slice(2);
    const settings = JSON.parse(fs.readFileSync(path, "utf8"));
    process.stdout.write(JSON.stringify(await flows[name](settings)));
}

main().catch((error) => {
    console.error(error);
    process.exitCode = 1;
});
