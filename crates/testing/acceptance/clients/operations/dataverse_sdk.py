"""Every public operation of the Dataverse SDK for Python, once: a line for each, and whether it passes or is refused as not built."""
import inspect
import json
import os
import subprocess
import tempfile
import warnings

import pandas
from azure.identity import DefaultAzureCredential
from PowerPlatform.Dataverse.client import DataverseClient
from PowerPlatform.Dataverse.models import Label, LocalizedLabel, LookupAttributeMetadata, ManyToManyRelationshipMetadata, OneToManyRelationshipMetadata

warnings.simplefilter("ignore")
client = DataverseClient("https://contoso.crm4.dynamics.com", DefaultAzureCredential())
seen = set()


def refusals():
    """What the lab refused so far, as its journal has it."""
    shown = subprocess.run([os.environ["MOCKTENANT"], "journal", "--failed", "--json"], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in shown.stdout.splitlines()]


def why(before):
    """Of the newest refusal: what it says is not built, else its status and the last of its address."""
    after = refusals()
    if len(after) <= len(before):
        return None
    facts = {fact["name"]: fact["value"] for one in after[len(before):] for fact in one.get("facts", [])}
    return f"not built: {facts['not-built']}" if "not-built" in facts else f"refused: {after[-1]['answer']['status']}"


def run(name, work, holds=lambda value: True):
    seen.add(name.split()[0])
    before = refusals()
    try:
        value = work()
        said = "passes" if holds(value) else f"answers {value!r}"
    except Exception as error:  # whatever the client makes of a refusal
        said = why(before) or f"{type(error).__name__}: {error}"
    print(name, said, sep="\t", flush=True)


def batch(fill, holds):
    """A batch of one thing, and what its answers say."""
    before = refusals()
    request = client.batch.new()
    fill(request)
    answers = request.execute(continue_on_error=True).responses
    if answers and all(answer.is_success for answer in answers) and holds(answers):
        return
    raise RuntimeError(why(before) or [answer.error_message for answer in answers])


records, query, tables, frames = client.records, client.query, client.tables, client.dataframe
account = records.create("account", {"name": "Operations", "accountnumber": "OP-1"})
contact = records.create("contact", {"lastname": "Operations"})
ours = "startswith(accountnumber,'OP-')"

run("records.create", lambda: [records.create("account", {"name": name, "accountnumber": f"OP-{name}"}) for name in ("Two", "Three")], lambda ids: len(ids) == 2)
run("records.create of several", lambda: records.create("account", [{"name": "x"}, {"name": "y"}]), lambda ids: len(ids) == 2)
run("records.update of several", lambda: records.update("account", [account], {"telephone1": "555-0100"}))
run("records.upsert of several", lambda: records.upsert("account", [{"alternate_key": {"accountnumber": f"OP-{at}"}, "record": {"name": "x"}} for at in (20, 21)]))
run("records.delete of several", lambda: records.delete("account", [account]))
run("records.retrieve", lambda: records.retrieve("account", account, select=["name"]), lambda row: row["name"] == "Operations")
run("records.get", lambda: records.get("account", account, select=["name"]), lambda row: row["name"] == "Operations")
run("records.list", lambda: records.list("account", filter=ours, select=["name"], orderby=["name"]), lambda rows: [row["name"] for row in rows] == ["Operations", "Three", "Two"])
run("records.list_pages", lambda: list(records.list_pages("account", filter=ours, select=["name"], page_size=2)), lambda pages: [len(page) for page in pages] == [2, 1])
run("records.update", lambda: records.update("account", account, {"telephone1": "555-0100"}))
run("records.upsert", lambda: records.upsert("account", [{"alternate_key": {"accountnumber": "OP-4"}, "record": {"name": "Four"}}]))
run("records.delete", lambda: records.delete("account", records.create("account", {"name": "Gone"})))
run("query.builder", lambda: list(query.builder("account").select("name").top(1).execute()), lambda rows: len(rows) == 1)
run("query.sql", lambda: query.sql("SELECT TOP 1 name FROM account"))
run("query.fetchxml", lambda: list(query.fetchxml("<fetch top='1'><entity name='account'><attribute name='name'/></entity></fetch>").execute()), lambda rows: len(rows) == 1)
run("query.sql_columns", lambda: query.sql_columns("account"), lambda found: any(one["name"] == "name" for one in found))
run("query.odata_select", lambda: query.odata_select("account"), lambda found: "name" in found)
run("query.odata_expands", lambda: query.odata_expands("account"))
run("query.odata_expand", lambda: query.odata_expand("account", "contact"))
run("query.odata_bind", lambda: query.odata_bind("account", "contact", contact))
run("tables.get", lambda: tables.get("account"), lambda found: found["entity_set_name"] == "accounts")
run("tables.list", lambda: tables.list(select=["LogicalName"]), lambda found: any(one["LogicalName"] == "account" for one in found))
run("tables.list_columns", lambda: tables.list_columns("account", select=["LogicalName"]), lambda found: any(one["LogicalName"] == "name" for one in found))
run("tables.get_column", lambda: tables.get_column("account", "name"), lambda found: found["LogicalName"] == "name")
run("tables.get_alternate_keys", lambda: tables.get_alternate_keys("account"))
run("tables.list_relationships", lambda: tables.list_relationships(select=["SchemaName"]))
run("tables.list_table_relationships", lambda: tables.list_table_relationships("account"))
run("tables.get_relationship", lambda: tables.get_relationship("contact_customer_accounts"))
run("tables.create", lambda: tables.create("new_Thing", {"new_Size": "int"}))
run("tables.delete", lambda: tables.delete("account"))
run("tables.add_columns", lambda: tables.add_columns("account", {"new_Size": "int"}))
run("tables.remove_columns", lambda: tables.remove_columns("account", "fax"))
run("tables.update_column", lambda: tables.update_column("account", "fax", {"display_name": "Fax"}))
run("tables.update_columns", lambda: tables.update_columns("account", {"fax": {"display_name": "Fax"}}))
lookup = LookupAttributeMetadata(schema_name="new_AccountId", display_name=Label(localized_labels=[LocalizedLabel(label="Account", language_code=1033)]))
many = OneToManyRelationshipMetadata(schema_name="new_account_contact", referenced_entity="account", referencing_entity="contact", referenced_attribute="accountid")
run("tables.create_one_to_many_relationship", lambda: tables.create_one_to_many_relationship(lookup, many))
run("tables.create_many_to_many_relationship", lambda: tables.create_many_to_many_relationship(ManyToManyRelationshipMetadata(schema_name="new_both", entity1_logical_name="account", entity2_logical_name="contact")))
run("tables.delete_relationship", lambda: tables.delete_relationship("00000000-0000-0000-0000-000000000001"))
run("tables.create_lookup_field", lambda: tables.create_lookup_field("contact", "new_AccountId", "account"))
run("tables.create_alternate_key", lambda: tables.create_alternate_key("account", "new_Key", ["fax"]))
run("tables.delete_alternate_key", lambda: tables.delete_alternate_key("account", "00000000-0000-0000-0000-000000000001"))
run("dataframe.sql", lambda: frames.sql("SELECT TOP 1 name FROM account"))
run("dataframe.get", lambda: frames.get("account", filter=ours, select=["name"]), lambda found: "Two" in list(found["name"]))
made = pandas.Series(dtype=str)
run("dataframe.create", lambda: frames.create("account", pandas.DataFrame([{"name": "Five", "accountnumber": "OP-5"}])), lambda ids: len(ids) == 1)
run("dataframe.update", lambda: frames.update("account", pandas.DataFrame([{"accountid": account, "telephone1": "555-0101"}]), "accountid"))
run("dataframe.delete", lambda: frames.delete("account", pandas.Series([records.create("account", {"name": "Gone"})]), use_bulk_delete=False))
with tempfile.NamedTemporaryFile(suffix=".txt") as file:
    file.write(b"text")
    file.flush()
    run("files.upload", lambda: client.files.upload("account", account, "new_document", file.name))


def of_batch(name, fill, holds=lambda answers: True):
    seen.add(f"batch.{name}")
    try:
        batch(fill, holds)
        said = "passes"
    except Exception as error:  # whatever the client makes of a refusal
        said = str(error)
    print(f"batch.{name}", said, sep="\t", flush=True)


spare = [records.create("account", {"name": "Spare"}) for _ in range(4)]
of_batch("records.create", lambda one: one.records.create("account", {"name": "Batch", "accountnumber": "OP-6"}))
of_batch("records.update", lambda one: one.records.update("account", account, {"telephone1": "555-0102"}))
of_batch("records.upsert", lambda one: one.records.upsert("account", [{"alternate_key": {"accountnumber": "OP-7"}, "record": {"name": "Seven"}}]))
of_batch("records.get", lambda one: one.records.get("account", account, select=["name"]), lambda answers: answers[0].data["name"] == "Operations")
of_batch("records.retrieve", lambda one: one.records.retrieve("account", account, select=["name"]), lambda answers: answers[0].data["name"] == "Operations")
of_batch("records.list", lambda one: one.records.list("account", filter=ours, select=["name"]), lambda answers: len(answers[0].data["value"]) > 2)
of_batch("records.delete", lambda one: one.records.delete("account", spare[0]))
of_batch("query.sql", lambda one: one.query.sql("SELECT TOP 1 name FROM account"))
of_batch("dataframe.create", lambda one: one.dataframe.create("account", pandas.DataFrame([{"name": "Frame"}])))
of_batch("dataframe.update", lambda one: one.dataframe.update("account", pandas.DataFrame([{"accountid": account, "fax": "1"}]), "accountid"))
of_batch("dataframe.delete", lambda one: one.dataframe.delete("account", pandas.Series([spare[1]]), use_bulk_delete=False))
of_batch("tables.get", lambda one: one.tables.get("account"))
of_batch("tables.list", lambda one: one.tables.list(select=["LogicalName"]))
of_batch("tables.create", lambda one: one.tables.create("new_Thing", {"new_Size": "int"}))
of_batch("tables.delete", lambda one: one.tables.delete("account"))
of_batch("tables.add_columns", lambda one: one.tables.add_columns("account", {"new_Size": "int"}))
of_batch("tables.remove_columns", lambda one: one.tables.remove_columns("account", "fax"))
of_batch("tables.create_one_to_many_relationship", lambda one: one.tables.create_one_to_many_relationship(lookup, many))
of_batch("tables.create_many_to_many_relationship", lambda one: one.tables.create_many_to_many_relationship(ManyToManyRelationshipMetadata(schema_name="new_both", entity1_logical_name="account", entity2_logical_name="contact")))
of_batch("tables.delete_relationship", lambda one: one.tables.delete_relationship("00000000-0000-0000-0000-000000000001"))
of_batch("tables.get_relationship", lambda one: one.tables.get_relationship("contact_customer_accounts"))
of_batch("tables.create_lookup_field", lambda one: one.tables.create_lookup_field("contact", "new_AccountId", "account"))


def change_set(request):
    with request.changeset() as changes:
        made = changes.records.create("contact", {"lastname": "Set"})
        changes.records.update("account", account, {"primarycontactid@odata.bind": made})
        changes.records.delete("account", spare[2])


of_batch("changeset", change_set)
request = client.batch.new()
parts = {"records": records, "query": query, "tables": tables, "dataframe": frames, "files": client.files,
         "batch.records": request.records, "batch.query": request.query, "batch.tables": request.tables, "batch.dataframe": request.dataframe}
public = {f"{part}.{name}" for part, of in parts.items() for name, _ in inspect.getmembers(of, callable) if not name.startswith("_")} | {"batch.changeset"}
print("left", " ".join(sorted(public - seen)) or "nothing", sep="\t")
