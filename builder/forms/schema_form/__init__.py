"""Forms from any JSON Schema: schema + data + uiSchema make a tree of nodes; the tree and what was posted
make data again.

Fields of records have documents of their own (``builder.forms.compiler``). What comes from elsewhere is
nested, conditional and of many shapes, so it has a tree (``nodes``), built by ``building`` from the schema as
it applies to the data (``merging``), and drawn by ``templates/components/schema_form.html`` with the controls
of all our forms. uiSchema is the one of react-jsonschema-form, as far as its words mean something here.
"""
