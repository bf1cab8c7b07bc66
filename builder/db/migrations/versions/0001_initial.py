"""All tables of the first version, written out: what later revisions change must not change here."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import context, op

from builder.db.walls import grant_rows, raise_wall, withdraw_rows

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_INSTANT = sa.BigInteger()  # microseconds since 1970
_TEXT_IN_C = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_RATE = sa.Numeric(24, 12, asdecimal=True).with_variant(sa.String(40), "sqlite")
_TEXT_SLOTS = tuple(f"t{number:02}" for number in range(1, 21))
_NUMBER_SLOTS = tuple(f"n{number:02}" for number in range(1, 21))
_LIVE = "deleted_at IS NULL"
# In the order in which they are made; those of one workspace each stand behind its wall.
_SHARED = ("workspace", "user_account", "platform_role", "user_platform_role")
_SCOPED = (
    "member",
    "department",
    "department_member",
    "definition",
    "definition_version",
    "change_set",
    "pack_base",
    "library_pack",
    "exchange_rate",
    "saved_view",
    "arrangement",
    "record",
    "link",
    "search_token",
    "record_share",
    "record_number",
    "given_number",
    "stay",
    "slice",
    "move_request",
    "event",
    "funnel_rollup",
    "rollup_delta",
    "batch",
    "stored_file",
    "import_job",
    "import_batch",
    "import_mapping",
    "export_job",
    "note",
    "notice",
    "posting",
    "duplicate_pair",
    "duplicate_search",
)


def upgrade() -> None:
    for make in (
        _people,
        _definitions,
        _records,
        _ledger,
        _imports,
        _exports,
        _notes,
        _postings,
        _duplicates,
    ):
        make()
    connection = op.get_bind()
    for table in _SCOPED:
        raise_wall(connection, table)
    grant_rows(connection, context.config.attributes.get("app_role"))


def downgrade() -> None:
    withdraw_rows(op.get_bind(), context.config.attributes.get("app_role"))
    for table in (*reversed(_SCOPED), *reversed(_SHARED)):
        op.drop_table(table)


def _key(length: int) -> sa.String:
    """Text compared byte by byte on both databases."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _slot_indexes() -> None:
    for slot in _TEXT_SLOTS + _NUMBER_SLOTS:
        op.create_index(
            f"ix_record_{slot}",
            "record",
            ["workspace_id", "object_key", slot, "id"],
            **_where(f"{slot} IS NOT NULL AND deleted_at IS NULL"),
        )


def _board_indexes() -> None:
    """From the latest entry to unknown ones: SQLite's nulls are the smallest, PostgreSQL must be told."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    suffix = ""
    order: list[Any] = ["stage_entered_at", "id"]
    if is_postgresql:
        suffix = "_latest"
        order = [sa.column("stage_entered_at").desc().nulls_last(), sa.column("id").desc()]
    for name, columns in (
        ("board", ["pipeline_key", "stage_key"]),
        ("board_owner", ["pipeline_key", "owner_id", "stage_key"]),
        ("board_department", ["pipeline_key", "department_id", "stage_key"]),
    ):
        op.create_index(
            f"ix_record_{name}{suffix}", "record", ["workspace_id", *columns, *order], **_where(_LIVE)
        )


def _report_index() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    head = [
        "workspace_id",
        "object_key",
        "owner_id",
        "journey",
        "currency",
        "amount_minor",
        "id",
        "deleted_at",
    ]
    facts = ["department_id", "pipeline_key", "stage_key", "outcome", "probability"]
    times = ["expected_close_on", "created_at", "closed_at", "stage_entered_at", "cycle"]
    columns = [*head, *facts, *times, *_TEXT_SLOTS, *_NUMBER_SLOTS]
    op.create_index("ix_record_report", "record", columns, sqlite_where=sa.text(_LIVE))


def _people() -> None:
    op.create_table(
        "workspace",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", _key(80), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("locale", sa.String(20), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("definitions_stamp", sa.BigInteger(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace")),
        sa.UniqueConstraint("key", name=op.f("uq_workspace_key")),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("password", sa.String(255)),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("fs_uniquifier", sa.String(64), nullable=False),
        sa.Column("confirmed_at", _INSTANT),
        sa.Column("locale", sa.String(20)),
        sa.Column("time_zone", sa.String(64)),
        sa.Column("theme", sa.String(10)),
        sa.Column("last_workspace_id", sa.BigInteger()),
        sa.Column("tf_primary_method", sa.String(64)),
        sa.Column("tf_totp_secret", sa.String(255)),
        sa.Column("tf_phone_number", sa.String(128)),
        sa.Column("mf_recovery_codes", sa.JSON()),
        sa.Column("create_datetime", _INSTANT, nullable=False),
        sa.Column("update_datetime", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
        sa.UniqueConstraint("fs_uniquifier", name=op.f("uq_user_account_fs_uniquifier")),
    )
    op.create_table(
        "platform_role",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", _key(80), nullable=False),
        sa.Column("description", sa.String(255)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_role")),
        sa.UniqueConstraint("name", name=op.f("uq_platform_role_name")),
    )
    op.create_table(
        "user_platform_role",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "role_id", name=op.f("pk_user_platform_role")),
        sa.ForeignKeyConstraint(
            ["role_id"], ["platform_role.id"], name=op.f("fk_user_platform_role_role_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_user_platform_role_user_id")),
    )
    op.create_table(
        "member",
        sa.Column("user_id", sa.BigInteger()),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("email", sa.String(255)),
        sa.Column("role_key", _key(80), nullable=False),
        sa.Column("manager_id", sa.BigInteger()),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("last_seen_at", _INSTANT),
        sa.Column("successor_id", sa.BigInteger()),
        sa.Column("unread_notices", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_member")),
        sa.UniqueConstraint("workspace_id", "user_id", name=op.f("uq_member_workspace_id_user_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_member_user_id")),
    )
    op.create_index("ix_member_name", "member", ["workspace_id", "name"])
    op.create_index("ix_member_user", "member", ["user_id"])
    op.create_table(
        "department",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("parent_id", sa.BigInteger()),
        sa.Column("path", _TEXT_IN_C, nullable=False),
        sa.Column("starts_on", sa.Date()),
        sa.Column("ends_on", sa.Date()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_department")),
    )
    op.create_index("ix_department_path", "department", ["workspace_id", "path"])
    op.create_table(
        "department_member",
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_on", sa.Date()),
        sa.Column("ends_on", sa.Date()),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_department_member")),
    )
    op.create_index("ix_department_member_member", "department_member", ["workspace_id", "member_id"])


def _definitions() -> None:
    op.create_table(
        "definition",
        sa.Column("kind", _key(20), nullable=False),
        sa.Column("key", _key(80), nullable=False),
        sa.Column("live_version_id", sa.BigInteger()),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_definition")),
        sa.UniqueConstraint("workspace_id", "kind", "key", name=op.f("uq_definition_workspace_id_kind_key")),
    )
    op.create_table(
        "definition_version",
        sa.Column("definition_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", _key(20), nullable=False),
        sa.Column("grammar", sa.Integer(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("schema", sa.JSON()),
        sa.Column("slots", sa.JSON(), nullable=False),
        sa.Column("checksum", sa.String(64), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by", sa.BigInteger()),
        sa.Column("published_at", _INSTANT),
        sa.Column("base_id", sa.BigInteger()),
        sa.Column("change_set_id", sa.BigInteger()),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_definition_version")),
        sa.UniqueConstraint(
            "workspace_id",
            "definition_id",
            "number",
            name=op.f("uq_definition_version_workspace_id_definition_id_number"),
        ),
    )
    op.create_table(
        "change_set",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source", _key(20), nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.Column("undoes_id", sa.BigInteger()),
        sa.Column("published_at", _INSTANT, nullable=False),
        sa.Column("published_by", sa.BigInteger()),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_change_set")),
        sa.UniqueConstraint("workspace_id", "number", name=op.f("uq_change_set_workspace_id_number")),
    )
    op.create_table(
        "pack_base",
        sa.Column("checksum", sa.String(64), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_pack_base")),
        sa.UniqueConstraint("workspace_id", "checksum", name=op.f("uq_pack_base_workspace_id_checksum")),
    )
    op.create_table(
        "library_pack",
        sa.Column("pack_key", _key(80), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("checksum", sa.String(64), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("user_id", sa.BigInteger()),
        sa.Column("saved_at", _INSTANT, nullable=False),
        sa.Column("saved_by", sa.BigInteger()),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_library_pack")),
        sa.UniqueConstraint(
            "workspace_id",
            "pack_key",
            "version",
            name=op.f("uq_library_pack_workspace_id_pack_key_version"),
        ),
    )
    op.create_index("ix_library_pack_user", "library_pack", ["user_id"])
    op.create_table(
        "exchange_rate",
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("valid_on", sa.Date(), nullable=False),
        sa.Column("rate", _RATE, nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_exchange_rate")),
        sa.UniqueConstraint(
            "workspace_id",
            "currency",
            "valid_on",
            name=op.f("uq_exchange_rate_workspace_id_currency_valid_on"),
        ),
    )
    op.create_table(
        "saved_view",
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("object_key", _key(80), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_saved_view")),
    )
    op.create_index("ix_saved_view_object", "saved_view", ["workspace_id", "object_key"])
    op.create_table(
        "arrangement",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", _key(200), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "member_id", "place", name=op.f("pk_arrangement")),
    )


def _records() -> None:
    op.create_table(
        "record",
        sa.Column("object_key", _key(80), nullable=False),
        sa.Column("definition_version_id", sa.BigInteger(), nullable=False),
        sa.Column("number", _key(80)),
        sa.Column("name", _key(400), nullable=False),
        sa.Column("external_key", _key(200)),
        sa.Column("owner_id", sa.BigInteger()),
        sa.Column("department_id", sa.BigInteger()),
        sa.Column("pipeline_key", _key(80)),
        sa.Column("pipeline_version_id", sa.BigInteger()),
        sa.Column("stage_key", _key(80)),
        sa.Column("outcome", _key(10)),
        sa.Column("reason_key", _key(80)),
        sa.Column("stay_id", sa.BigInteger()),
        sa.Column("slice_id", sa.BigInteger()),
        sa.Column("stage_entered_at", _INSTANT),
        sa.Column("started_at", _INSTANT),
        sa.Column("closed_at", _INSTANT),
        sa.Column("cycle", sa.BigInteger()),
        sa.Column("journey", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger()),
        sa.Column("currency", sa.String(3)),
        sa.Column("expected_close_on", sa.Date()),
        sa.Column("probability", sa.Integer()),
        sa.Column("probability_override", sa.Integer()),
        sa.Column(
            "weighted",
            sa.Double(),
            sa.Computed("CAST(amount_minor AS DOUBLE PRECISION) * probability / 100.0", persisted=True),
        ),
        sa.Column("forecast_category", _key(20)),
        sa.Column("converted_from_id", sa.BigInteger()),
        sa.Column("is_loaded", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by", sa.BigInteger()),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.Column("updated_by", sa.BigInteger()),
        sa.Column("deleted_at", _INSTANT),
        sa.Column("deleted_by", sa.BigInteger()),
        sa.Column("merged_into_id", sa.BigInteger()),
        sa.Column("merged_ids", sa.JSON()),
        sa.Column("erased_at", _INSTANT),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        *(sa.Column(slot, _key(400)) for slot in _TEXT_SLOTS),
        *(sa.Column(slot, sa.Double()) for slot in _NUMBER_SLOTS),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_record")),
    )
    op.create_index(
        "ix_record_closed_at", "record", ["workspace_id", "object_key", "closed_at", "id"], **_where(_LIVE)
    )
    op.create_index(
        "ix_record_converted_from",
        "record",
        ["workspace_id", "converted_from_id"],
        **_where("converted_from_id IS NOT NULL"),
    )
    op.create_index(
        "ix_record_created_at", "record", ["workspace_id", "object_key", "created_at", "id"], **_where(_LIVE)
    )
    op.create_index(
        "ix_record_department",
        "record",
        ["workspace_id", "object_key", "department_id", "updated_at", "id", "deleted_at"],
        **_where(_LIVE),
    )
    op.create_index("ix_record_external_key", "record", ["workspace_id", "object_key", "external_key"])
    op.create_index(
        "ix_record_merged_into",
        "record",
        ["workspace_id", "merged_into_id"],
        **_where("merged_into_id IS NOT NULL"),
    )
    op.create_index(
        "ix_record_weighted",
        "record",
        ["workspace_id", "object_key", "weighted", "id"],
        **_where("weighted IS NOT NULL AND deleted_at IS NULL"),
    )
    for name, columns in (
        ("amount", ["currency", "amount_minor", "owner_id", "department_id"]),
        ("amount_owner", ["owner_id", "currency", "amount_minor", "department_id"]),
        ("cycle", ["cycle", "owner_id", "department_id"]),
        ("cycle_owner", ["owner_id", "cycle", "department_id"]),
    ):
        op.create_index(
            f"ix_record_won_{name}",
            "record",
            ["workspace_id", "pipeline_key", *columns, "outcome", "deleted_at"],
            **_where("outcome = 'won' AND deleted_at IS NULL"),
        )
    held = ["object_key", "owner_id", "department_id", "reason_key", "currency", "amount_minor", "cycle"]
    op.create_index(
        "ix_record_ended",
        "record",
        ["workspace_id", "pipeline_key", "outcome", "closed_at", "id", *held, "deleted_at"],
        **_where("outcome <> 'open' AND deleted_at IS NULL"),
    )
    op.create_index("ix_record_name", "record", ["workspace_id", "object_key", "name", "id"], **_where(_LIVE))
    op.create_index(
        "ix_record_open",
        "record",
        [
            "workspace_id",
            "pipeline_key",
            "owner_id",
            "stage_entered_at",
            "id",
            "expected_close_on",
            "stage_key",
        ],
        **_where("outcome = 'open' AND deleted_at IS NULL"),
    )
    op.create_index(
        "ix_record_owner",
        "record",
        ["workspace_id", "object_key", "owner_id", "updated_at", "id", "deleted_at"],
        **_where(_LIVE),
    )
    op.create_index(
        "ix_record_updated_at",
        "record",
        ["workspace_id", "object_key", "updated_at", "id", "deleted_at"],
        **_where(_LIVE),
    )
    op.create_table(
        "link",
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("field_key", _key(80), nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_link")),
        sa.UniqueConstraint(
            "workspace_id",
            "record_id",
            "field_key",
            "target_id",
            name=op.f("uq_link_workspace_id_record_id_field_key_target_id"),
        ),
    )
    op.create_index("ix_link_target", "link", ["workspace_id", "target_id", "field_key", "record_id"])
    op.create_table(
        "search_token",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("object_key", _key(80), nullable=False),
        sa.Column("token", _key(80), nullable=False),
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("field_key", _key(80), nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "object_key", "token", "record_id", "field_key", name=op.f("pk_search_token")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_search_token_record", "search_token", ["workspace_id", "record_id", "token"])
    op.create_table(
        "record_share",
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("can_edit", sa.Boolean(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_record_share")),
        sa.UniqueConstraint(
            "workspace_id",
            "record_id",
            "member_id",
            name=op.f("uq_record_share_workspace_id_record_id_member_id"),
        ),
    )
    op.create_index("ix_record_share_member", "record_share", ["workspace_id", "member_id", "record_id"])
    op.create_table(
        "record_number",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("object_key", _key(80), nullable=False),
        sa.Column("field_key", _key(80), nullable=False),
        sa.Column("period", _key(20), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "object_key", "field_key", name=op.f("pk_record_number")),
    )
    op.create_table(
        "given_number",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("object_key", _key(80), nullable=False),
        sa.Column("field_key", _key(80), nullable=False),
        sa.Column("value", _key(80), nullable=False),
        sa.Column("record_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "object_key", "field_key", "value", "record_id", name=op.f("pk_given_number")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_record_deleted",
        "record",
        ["workspace_id", "deleted_at", "id"],
        **_where("deleted_at IS NOT NULL"),
    )
    standing = ["object_key", "pipeline_key", "outcome", "owner_id", "department_id", "deleted_at"]
    op.create_index("ix_record_standing", "record", ["workspace_id", "id", *standing])
    op.create_index("ix_given_number_record", "given_number", ["workspace_id", "record_id"])
    _slot_indexes()
    _board_indexes()
    _report_index()


def _ledger() -> None:
    op.create_table(
        "stay",
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("pipeline_key", _key(80), nullable=False),
        sa.Column("pipeline_version_id", sa.BigInteger(), nullable=False),
        sa.Column("stage_key", _key(80), nullable=False),
        sa.Column("stage_kind", _key(10), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("entered_at", _INSTANT),
        sa.Column("left_at", _INSTANT),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("entered_via", _key(20), nullable=False),
        sa.Column("left_via", _key(20)),
        sa.Column("entered_by", sa.BigInteger()),
        sa.Column("left_by", sa.BigInteger()),
        sa.Column("seconds", sa.Double()),
        sa.Column("next_stage_key", _key(80)),
        sa.Column("skipped", sa.JSON()),
        sa.Column("owner_id", sa.BigInteger()),
        sa.Column("department_id", sa.BigInteger()),
        sa.Column("amount_minor", sa.BigInteger()),
        sa.Column("currency", sa.String(3)),
        sa.Column("rate", sa.Double()),
        sa.Column("probability", sa.Integer()),
        sa.Column("is_loaded", sa.Boolean(), nullable=False),
        sa.Column("feedback_key", _key(80)),
        sa.Column("feedback_version_id", sa.BigInteger()),
        sa.Column("answers", sa.JSON()),
        sa.Column("tasks_done", sa.JSON()),
        sa.Column("is_marked", sa.Boolean(), nullable=False),
        sa.Column("reason_key", _key(80)),
        sa.Column("reason_note", sa.Text()),
        sa.Column("override_reason", sa.Text()),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_stay")),
    )
    op.create_index(
        "ix_stay_entered",
        "stay",
        [
            "workspace_id",
            "pipeline_key",
            "stage_key",
            "entered_at",
            "id",
            "left_via",
            "record_id",
            "sequence",
            "currency",
            "amount_minor",
        ],
    )
    op.create_index(
        "ix_stay_open", "stay", ["workspace_id", "record_id"], unique=True, **_where("left_via IS NULL")
    )
    op.create_index("ix_stay_period", "stay", ["workspace_id", "pipeline_key", "entered_at"])
    op.create_index("ix_stay_record", "stay", ["workspace_id", "record_id", "sequence"], unique=True)
    op.create_table(
        "slice",
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("object_key", _key(80), nullable=False),
        sa.Column("valid_from", _INSTANT),
        sa.Column("valid_to", _INSTANT),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("superseded_at", _INSTANT),
        sa.Column("pipeline_key", _key(80)),
        sa.Column("stage_key", _key(80)),
        sa.Column("outcome", _key(10)),
        sa.Column("amount_minor", sa.BigInteger()),
        sa.Column("currency", sa.String(3)),
        sa.Column("expected_close_on", sa.Date()),
        sa.Column("probability", sa.Integer()),
        sa.Column("forecast_category", _key(20)),
        sa.Column("owner_id", sa.BigInteger()),
        sa.Column("department_id", sa.BigInteger()),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_slice")),
    )
    op.create_index("ix_slice_period", "slice", ["workspace_id", "object_key", "valid_from", "valid_to"])
    op.create_index("ix_slice_record", "slice", ["workspace_id", "record_id", "valid_from"])
    op.create_table(
        "move_request",
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("stay_id", sa.BigInteger()),
        sa.Column("pipeline_version_id", sa.BigInteger(), nullable=False),
        sa.Column("from_stage_key", _key(80), nullable=False),
        sa.Column("to_stage_key", _key(80), nullable=False),
        sa.Column("status", _key(20), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("command", sa.JSON(), nullable=False),
        sa.Column("approver_id", sa.BigInteger()),
        sa.Column("approver_role", _key(80)),
        sa.Column("requested_by", sa.BigInteger()),
        sa.Column("requested_at", _INSTANT, nullable=False),
        sa.Column("decided_by", sa.BigInteger()),
        sa.Column("decided_at", _INSTANT),
        sa.Column("comment", sa.Text()),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_move_request")),
    )
    op.create_index("ix_move_request_record", "move_request", ["workspace_id", "record_id"])
    op.create_index(
        "uq_move_request_waiting",
        "move_request",
        ["workspace_id", "record_id"],
        unique=True,
        **_where("status = 'waiting'"),
    )
    op.create_table(
        "event",
        sa.Column("kind", _key(60), nullable=False),
        sa.Column("effective_at", _INSTANT, nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("actor_id", sa.BigInteger()),
        sa.Column("object_key", _key(80)),
        sa.Column("record_id", sa.BigInteger()),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("request_id", sa.String(64)),
        sa.Column("batch_id", sa.BigInteger()),
        sa.Column("origin", sa.String(64)),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_event")),
    )
    op.create_index(
        "ix_event_batch", "event", ["workspace_id", "batch_id", "id"], **_where("batch_id IS NOT NULL")
    )
    op.create_index("ix_event_record", "event", ["workspace_id", "record_id", "id"])
    op.create_index("ix_event_recorded", "event", ["workspace_id", "recorded_at", "id"])
    op.create_table(
        "batch",
        sa.Column("kind", _key(20), nullable=False),
        sa.Column("object_key", _key(80), nullable=False),
        sa.Column("job_id", sa.BigInteger()),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by", sa.BigInteger()),
        sa.Column("state", _key(20), nullable=False),
        sa.Column("plan", sa.JSON()),
        sa.Column("problem", sa.JSON()),
        sa.Column("total_records", sa.BigInteger(), nullable=False),
        sa.Column("after_id", sa.BigInteger(), nullable=False),
        sa.Column("done_records", sa.BigInteger(), nullable=False),
        sa.Column("waiting_records", sa.BigInteger(), nullable=False),
        sa.Column("refused_records", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.JSON(), nullable=False),
        sa.Column("undone_at", _INSTANT),
        sa.Column("removed_records", sa.BigInteger(), nullable=False),
        sa.Column("restored_records", sa.BigInteger(), nullable=False),
        sa.Column("kept", sa.JSON(), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_batch")),
    )
    op.create_index("ix_batch_job", "batch", ["workspace_id", "job_id", "id"])
    op.create_table(
        "funnel_rollup",
        *_rollup_cells(),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_funnel_rollup")),
    )
    for first, second in (("owner", "department"), ("department", "owner")):
        op.create_index(
            f"ix_funnel_rollup_{first}",
            "funnel_rollup",
            [
                "workspace_id",
                "pipeline_key",
                f"{first}_id",
                "measure",
                "month_from",
                "month_to",
                f"{second}_id",
                "stage_key",
                "currency",
                "n",
                "amount_minor",
            ],
        )
    op.create_index(
        "ix_funnel_rollup_all_time",
        "funnel_rollup",
        [
            "workspace_id",
            "pipeline_key",
            "measure",
            "owner_id",
            "stage_key",
            "currency",
            "department_id",
            "n",
            "amount_minor",
            "weighted_minor",
            "month_from",
            "month_to",
        ],
        **_where("month_from = 0 AND month_to = 0"),
    )
    op.create_index(
        "uq_funnel_rollup_cell",
        "funnel_rollup",
        [
            "workspace_id",
            "pipeline_key",
            "measure",
            "stage_key",
            "owner_id",
            "department_id",
            "currency",
            "month_from",
            "month_to",
        ],
        unique=True,
    )
    op.create_table(
        "rollup_delta",
        *_rollup_cells(),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_rollup_delta")),
    )
    op.create_index("ix_rollup_delta_measure", "rollup_delta", ["workspace_id", "pipeline_key", "measure"])


def _rollup_cells() -> list[sa.Column[Any]]:
    """The columns of the roll-up, and of what it lacks yet."""
    return [
        sa.Column("pipeline_key", _key(80), nullable=False),
        sa.Column("measure", _key(30), nullable=False),
        sa.Column("stage_key", _key(180), nullable=False),
        sa.Column("owner_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("month_from", sa.Integer(), nullable=False),
        sa.Column("month_to", sa.Integer(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("weighted_minor", sa.BigInteger(), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
    ]


def _imports() -> None:
    op.create_table(
        "stored_file",
        sa.Column("name", sa.String(400), nullable=False),
        sa.Column("media_type", sa.String(120), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("checksum", sa.String(64), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by", sa.BigInteger()),
        sa.Column("purpose", _key(20)),
        sa.Column("record_id", sa.BigInteger()),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_stored_file")),
    )
    op.create_table(
        "import_job",
        sa.Column("object_key", _key(80), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("result_file_id", sa.BigInteger()),
        sa.Column("status", _key(20), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("total_rows", sa.BigInteger()),
        sa.Column("done_rows", sa.BigInteger(), nullable=False),
        sa.Column("created_rows", sa.BigInteger(), nullable=False),
        sa.Column("updated_rows", sa.BigInteger(), nullable=False),
        sa.Column("unchanged_rows", sa.BigInteger(), nullable=False),
        sa.Column("refused_rows", sa.BigInteger(), nullable=False),
        sa.Column("removed_records", sa.BigInteger(), nullable=False),
        sa.Column("restored_records", sa.BigInteger(), nullable=False),
        sa.Column("kept_records", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by", sa.BigInteger()),
        sa.Column("started_at", _INSTANT),
        sa.Column("finished_at", _INSTANT),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_import_job")),
    )
    op.create_index("ix_import_job_created", "import_job", ["workspace_id", "created_at"])
    op.create_table(
        "import_batch",
        sa.Column("job_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first_row", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("verdicts", sa.Text(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("refusals", sa.JSON(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_import_batch")),
        sa.UniqueConstraint(
            "workspace_id", "job_id", "number", name=op.f("uq_import_batch_workspace_id_job_id_number")
        ),
    )
    op.create_table(
        "import_mapping",
        sa.Column("object_key", _key(80), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("columns_key", sa.String(64), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by", sa.BigInteger()),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_import_mapping")),
        sa.UniqueConstraint(
            "workspace_id", "object_key", "name", name=op.f("uq_import_mapping_workspace_id_object_key_name")
        ),
    )


def _exports() -> None:
    op.create_table(
        "export_job",
        sa.Column("object_key", _key(80), nullable=False),
        sa.Column("status", _key(20), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("file_id", sa.BigInteger()),
        sa.Column("total_rows", sa.BigInteger()),
        sa.Column("done_rows", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.JSON()),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("started_at", _INSTANT),
        sa.Column("finished_at", _INSTANT),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_export_job")),
    )
    op.create_index("ix_export_job_created_by", "export_job", ["workspace_id", "created_by", "created_at"])


def _notes() -> None:
    op.create_table(
        "note",
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("author_id", sa.BigInteger()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("mentions", sa.JSON(), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("edited_at", _INSTANT),
        sa.Column("deleted_at", _INSTANT),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_note")),
    )
    op.create_index("ix_note_record", "note", ["workspace_id", "record_id", "id"])
    op.create_table(
        "notice",
        sa.Column("member_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", _key(20), nullable=False),
        sa.Column("record_id", sa.BigInteger(), nullable=False),
        sa.Column("note_id", sa.BigInteger()),
        sa.Column("actor_id", sa.BigInteger()),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("read_at", _INSTANT),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_member", "notice", ["workspace_id", "member_id", "id"])
    op.create_index("ix_notice_note", "notice", ["workspace_id", "note_id"])
    op.create_index(
        "ix_notice_unread", "notice", ["workspace_id", "member_id", "id"], **_where("read_at IS NULL")
    )


def _postings() -> None:
    op.create_table(
        "posting",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", _key(32), nullable=False),
        sa.Column("made_id", sa.BigInteger()),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "member_id", "key", name=op.f("pk_posting")),
        sqlite_with_rowid=False,
    )


def _duplicates() -> None:
    op.create_table(
        "duplicate_pair",
        sa.Column("object_key", _key(80), nullable=False),
        sa.Column("one_id", sa.BigInteger(), nullable=False),
        sa.Column("other_id", sa.BigInteger(), nullable=False),
        sa.Column("likeness", sa.Double(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("state", _key(10), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("found_at", _INSTANT, nullable=False),
        sa.Column("decided_at", _INSTANT),
        sa.Column("decided_by", sa.BigInteger()),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_duplicate_pair")),
        sa.UniqueConstraint(
            "workspace_id",
            "object_key",
            "one_id",
            "other_id",
            name=op.f("uq_duplicate_pair_workspace_id_object_key_one_id_other_id"),
        ),
    )
    op.create_index(
        "ix_duplicate_pair_likeness",
        "duplicate_pair",
        ["workspace_id", "object_key", "state", "likeness", "id"],
    )
    op.create_table(
        "duplicate_search",
        sa.Column("object_key", _key(80), nullable=False),
        sa.Column("status", _key(20), nullable=False),
        sa.Column("total_keys", sa.BigInteger()),
        sa.Column("done_keys", sa.BigInteger(), nullable=False),
        sa.Column("compared_pairs", sa.BigInteger(), nullable=False),
        sa.Column("found_pairs", sa.BigInteger(), nullable=False),
        sa.Column("crowded_keys", sa.BigInteger(), nullable=False),
        sa.Column("is_cut", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.JSON()),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("created_by", sa.BigInteger()),
        sa.Column("finished_at", _INSTANT),
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_duplicate_search")),
    )
    op.create_index("ix_duplicate_search_object", "duplicate_search", ["workspace_id", "object_key", "id"])
