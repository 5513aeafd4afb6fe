"""Relations of what a gateway does not have: right-shaped and without rows, because clients join them.

Columns as in PostgreSQL 16 (chapter 53). A word without a type is an object id.
"""

from __future__ import annotations

from typing import Final

_TYPES: Final = {
    "": "BIGINT",
    "t": "VARCHAR",
    "b": "BOOLEAN",
    "s": "SMALLINT",
    "i": "INTEGER",
    "l": "BIGINT",
    "f": "FLOAT",
    "ts": "TIMESTAMPTZ",
    "s[]": "SMALLINT[]",
    "t[]": "VARCHAR[]",
    "o[]": "BIGINT[]",
}

_COLUMNS: Final[dict[str, str]] = {
    "pg_index": """indexrelid indrelid indnatts:s indnkeyatts:s indisunique:b indnullsnotdistinct:b indisprimary:b
        indisexclusion:b indimmediate:b indisclustered:b indisvalid:b indcheckxmin:b indisready:b indislive:b
        indisreplident:b indkey:s[] indcollation:o[] indclass:o[] indoption:s[] indexprs:t indpred:t""",
    "pg_indexes": "schemaname:t tablename:t indexname:t tablespace:t indexdef:t",
    "pg_constraint": """oid conname:t connamespace contype:t condeferrable:b condeferred:b convalidated:b conrelid
        contypid conindid conparentid confrelid confupdtype:t confdeltype:t confmatchtype:t conislocal:b coninhcount:s
        connoinherit:b conkey:s[] confkey:s[] conpfeqop:o[] conppeqop:o[] conffeqop:o[] confdelsetcols:s[]
        conexclop:o[] conbin:t""",
    "pg_trigger": """oid tgrelid tgparentid tgname:t tgfoid tgtype:s tgenabled:t tgisinternal:b tgconstrrelid
        tgconstrindid tgconstraint tgdeferrable:b tginitdeferred:b tgnargs:s tgattr:s[] tgargs:t tgqual:t tgoldtable:t
        tgnewtable:t""",
    "pg_event_trigger": "oid evtname:t evtevent:t evtowner evtfoid evtenabled:t evttags:t[]",
    "pg_inherits": "inhrelid inhparent inhseqno:i inhdetachpending:b",
    "pg_partitioned_table": """partrelid partstrat:t partnatts:s partdefid partattrs:s[] partclass:o[]
        partcollation:o[] partexprs:t""",
    "pg_policy": "oid polname:t polrelid polcmd:t polpermissive:b polroles:o[] polqual:t polwithcheck:t",
    "pg_policies": "schemaname:t tablename:t policyname:t permissive:t roles:t[] cmd:t qual:t with_check:t",
    "pg_publication": """oid pubname:t pubowner puballtables:b pubinsert:b pubupdate:b pubdelete:b pubtruncate:b
        pubviaroot:b""",
    "pg_publication_rel": "oid prpubid prrelid prqual:t prattrs:s[]",
    "pg_publication_namespace": "oid pnpubid pnnspid",
    "pg_publication_tables": "pubname:t schemaname:t tablename:t attnames:t[] rowfilter:t",
    "pg_subscription": """oid subdbid subskiplsn:t subname:t subowner subenabled:b subbinary:b substream:t
        subtwophasestate:t subdisableonerr:b subconninfo:t subslotname:t subsynccommit:t subpublications:t[]""",
    "pg_statistic_ext": """oid stxrelid stxname:t stxnamespace stxowner stxstattarget:i stxkeys:s[] stxkind:t[]
        stxexprs:t""",
    "pg_statistic": "starelid staattnum:s stainherit:b stanullfrac:f stawidth:i stadistinct:f",
    "pg_stats": "schemaname:t tablename:t attname:t inherited:b null_frac:f avg_width:i n_distinct:f",
    "pg_extension": """oid extname:t extowner extnamespace extrelocatable:b extversion:t extconfig:o[]
        extcondition:t[]""",
    "pg_available_extensions": "name:t default_version:t installed_version:t comment:t",
    "pg_foreign_table": "ftrelid ftserver ftoptions:t[]",
    "pg_user_mapping": "oid umuser umserver umoptions:t[]",
    "pg_user_mappings": "umid srvid srvname:t umuser usename:t umoptions:t[]",
    "pg_sequence": """seqrelid seqtypid seqstart:l seqincrement:l seqmax:l seqmin:l seqcache:l seqcycle:b""",
    "pg_sequences": """schemaname:t sequencename:t sequenceowner:t data_type:t start_value:l min_value:l max_value:l
        increment_by:l cycle:b cache_size:l last_value:l""",
    "pg_enum": "oid enumtypid enumsortorder:f enumlabel:t",
    "pg_range": "rngtypid rngsubtype rngmultitypid rngcollation rngsubopc rngcanonical:t rngsubdiff:t",
    "pg_rewrite": "oid rulename:t ev_class ev_type:t ev_enabled:t is_instead:b ev_qual:t ev_action:t",
    "pg_rules": "schemaname:t tablename:t rulename:t definition:t",
    "pg_matviews": """schemaname:t matviewname:t matviewowner:t tablespace:t hasindexes:b ispopulated:b
        definition:t""",
    "pg_operator": """oid oprname:t oprnamespace oprowner oprkind:t oprcanmerge:b oprcanhash:b oprleft oprright
        oprresult oprcom oprnegate oprcode:t oprrest:t oprjoin:t""",
    "pg_opclass": "oid opcmethod opcname:t opcnamespace opcowner opcfamily opcintype opcdefault:b opckeytype",
    "pg_opfamily": "oid opfmethod opfname:t opfnamespace opfowner",
    "pg_amop": """oid amopfamily amoplefttype amoprighttype amopstrategy:s amoppurpose:t amopopr amopmethod
        amopsortfamily""",
    "pg_amproc": "oid amprocfamily amproclefttype amprocrighttype amprocnum:s amproc:t",
    "pg_aggregate": "aggfnoid aggkind:t aggnumdirectargs:s aggtransfn:t aggfinalfn:t aggsortop aggtranstype",
    "pg_cast": "oid castsource casttarget castfunc castcontext:t castmethod:t",
    "pg_conversion": "oid conname:t connamespace conowner conforencoding:i contoencoding:i conproc:t condefault:b",
    "pg_default_acl": "oid defaclrole defaclnamespace defaclobjtype:t defaclacl:t[]",
    "pg_db_role_setting": "setdatabase setrole setconfig:t[]",
    "pg_init_privs": "objoid classoid objsubid:i privtype:t initprivs:t[]",
    "pg_largeobject_metadata": "oid lomowner lomacl:t[]",
    "pg_locks": """locktype:t database relation page:i tuple:s virtualxid:t transactionid classid objid objsubid:s
        virtualtransaction:t pid:i mode:t granted:b fastpath:b waitstart:ts""",
    "pg_parameter_acl": "oid parname:t paracl:t[]",
    "pg_prepared_statements": """name:t statement:t prepare_time:ts parameter_types:t[] result_types:t[] from_sql:b
        generic_plans:l custom_plans:l""",
    "pg_prepared_xacts": "transaction gid:t prepared:ts owner:t database:t",
    "pg_replication_slots": "slot_name:t plugin:t slot_type:t datoid database:t temporary:b active:b active_pid:i",
    "pg_cursors": "name:t statement:t is_holdable:b is_binary:b is_scrollable:b creation_time:ts",
    "pg_seclabel": "objoid classoid objsubid:i provider:t label:t",
    "pg_seclabels": "objoid classoid objsubid:i objtype:t objnamespace objname:t provider:t label:t",
    "pg_shdepend": "dbid classid objid objsubid:i refclassid refobjid deptype:t",
    "pg_timezone_names": "name:t abbrev:t utc_offset:t is_dst:b",
    "pg_transform": "oid trftype trflang trffromsql:t trftosql:t",
    "pg_ts_config": "oid cfgname:t cfgnamespace cfgowner cfgparser",
    "pg_ts_config_map": "mapcfg maptokentype:i mapseqno:i mapdict",
    "pg_ts_dict": "oid dictname:t dictnamespace dictowner dicttemplate dictinitoption:t",
    "pg_ts_parser": "oid prsname:t prsnamespace prsstart:t prstoken:t prsend:t prsheadline:t prslextype:t",
    "pg_ts_template": "oid tmplname:t tmplnamespace tmplinit:t tmpllexize:t",
    "pg_stat_database": "datid datname:t numbackends:i xact_commit:l xact_rollback:l blks_read:l blks_hit:l",
    "pg_stat_replication": "pid:i usesysid usename:t application_name:t client_addr:t state:t",
    "pg_stat_ssl": "pid:i ssl:b version:t cipher:t bits:i client_dn:t client_serial:t issuer_dn:t",
    "pg_stat_gssapi": "pid:i gss_authenticated:b principal:t encrypted:b credentials_delegated:b",
    "pg_stat_user_indexes": "relid indexrelid schemaname:t relname:t indexrelname:t idx_scan:l",
}


def _select(columns: str) -> str:
    pairs = (word.partition(":") for word in columns.split())
    listed = ", ".join(f"NULL::{_TYPES[kind]} AS {name}" for name, _, kind in pairs)
    return f"SELECT {listed} WHERE false"


RELATIONS: Final[dict[str, str]] = {name: _select(columns) for name, columns in _COLUMNS.items()}
