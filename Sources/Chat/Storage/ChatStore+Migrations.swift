public import Database

extension ChatStore {
    public static let migrations: [Migration] = [
        Migration(
            id: "chat/0001-conversations",
            sqlite: tables + [events("STRICT, WITHOUT ROWID")],
            postgres: tables + [events("")]
        ),
        Migration(
            id: "chat/0002-steps",
            [
                """
                CREATE TABLE chat_steps (
                    tenant {text} NOT NULL,
                    run {text} NOT NULL,
                    ordinal {int} NOT NULL,
                    messages {bytes} NOT NULL,
                    evidence {text} NOT NULL,
                    text_bytes {int} NOT NULL,
                    PRIMARY KEY (tenant, run, ordinal)
                ) {strict}
                """
            ]
        ),
        Migration(
            id: "chat/0003-narrowing",
            ["ALTER TABLE chat_conversations ADD COLUMN narrowing {text}"]
        ),
    ]

    private static let tables = [
        """
        CREATE TABLE chat_conversations (
            tenant {text} NOT NULL,
            id {text} NOT NULL,
            owner {text} NOT NULL,
            title {text} NOT NULL,
            settings {text} NOT NULL,
            bases {text},
            positions {int} NOT NULL,
            created_time {int} NOT NULL,
            updated_time {int} NOT NULL,
            deleted {int} NOT NULL,
            PRIMARY KEY (tenant, id)
        ) {strict}
        """,
        "CREATE INDEX chat_conversations_by_owner ON chat_conversations (tenant, owner, created_time, id)",
        "CREATE INDEX chat_conversations_deleted ON chat_conversations (tenant, id) WHERE deleted = 1",
        """
        CREATE TABLE chat_messages (
            tenant {text} NOT NULL,
            conversation {text} NOT NULL,
            position {int} NOT NULL,
            id {text} NOT NULL,
            parent {text},
            role {text} NOT NULL,
            content {text} NOT NULL,
            citations {text} NOT NULL,
            run {text} NOT NULL,
            history {bytes},
            evidence {text},
            created_time {int} NOT NULL,
            PRIMARY KEY (tenant, conversation, position),
            UNIQUE (tenant, id)
        ) {strict}
        """,
        """
        CREATE TABLE chat_runs (
            tenant {text} NOT NULL,
            id {text} NOT NULL,
            conversation {text} NOT NULL,
            question {text} NOT NULL,
            answer {text} NOT NULL,
            model {text} NOT NULL,
            prompt {text} NOT NULL,
            state {text} NOT NULL,
            end_reason {text},
            usage {text} NOT NULL,
            process {text} NOT NULL,
            cancel_requested {int} NOT NULL,
            created_time {int} NOT NULL,
            ended_time {int},
            PRIMARY KEY (tenant, id)
        ) {strict}
        """,
        "CREATE INDEX chat_runs_by_conversation ON chat_runs (tenant, conversation)",
        "CREATE INDEX chat_runs_running ON chat_runs (process) WHERE state = 'running'",
        """
        CREATE TABLE chat_processes (
            id {text} NOT NULL PRIMARY KEY,
            mark {text} NOT NULL,
            lease_until {int} NOT NULL
        ) {strict}
        """,
    ]

    /// Found by key only and never changed: SQLite keeps them in one tree, in that order.
    private static func events(_ suffix: String) -> String {
        """
        CREATE TABLE chat_events (
            tenant {text} NOT NULL,
            run {text} NOT NULL,
            sequence {int} NOT NULL,
            wire {bytes} NOT NULL,
            PRIMARY KEY (tenant, run, sequence)
        ) \(suffix)
        """
    }
}
