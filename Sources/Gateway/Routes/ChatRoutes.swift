import Access
import Chat
import Domain
import HTTPTypes

/// Conversations and their messages.
enum ChatRoutes {
    static let all =
        [conversations, createConversation, conversation, updateConversation, deleteConversation, messages, send]
        + ChatRunRoutes.all

    private static let conversations = Route(
        .get,
        "/api/v1/chat/conversations",
        name: "listConversations",
        summary: "A page of your conversations.",
        query: [
            QueryParameter(
                "limit",
                "Conversations of the page.",
                .integer(minimum: 1, maximum: Limits.conversationPage, default: Limits.conversationPage)
            ),
            QueryParameter(
                "after",
                "What the page before gave as its `after`.",
                PathParameter.conversationId.schema
            ),
        ],
        reply: .json(ConversationListWire.self, "The conversations, newest first."),
        problems: [.notFound],
        handler: .requires(.chat) { call, context in
            let limit = try call.query.integer("limit", in: 1...Limits.conversationPage) ?? Limits.conversationPage
            let after = try call.query.text("after").map { text in
                guard let id = ConversationID(text) else {
                    throw GatewayError(
                        .invalidParameter,
                        "The query parameter after is not one a page gave.",
                        hint: "start again without it"
                    )
                }
                return id
            }
            // One more than asked for, to know whether there is another page.
            let found = try await call.services.chat.conversations(limit: limit + 1, after: after, context: context)
            let page = found.prefix(limit)
            return try .json(
                ConversationListWire(
                    conversations: page.map(ConversationWire.init),
                    after: found.count > limit ? page.last?.id : nil
                )
            )
        }
    )

    private static let createConversation = Route(
        .post,
        "/api/v1/chat/conversations",
        name: "createConversation",
        summary: "Begins a conversation.",
        body: RouteBody(ConversationDraftWire.self, limit: Limits.chatBodyBytes),
        reply: .json(ConversationWire.self, "The conversation.", status: .created),
        handler: .requires(.chat) { call, context in
            let draft: ConversationDraftWire = try call.decodedBody()
            let conversation = try await call.services.chat.createConversation(
                title: draft.title,
                settings: draft.settings ?? ChatSettings(),
                context: context
            )
            return try .json(ConversationWire(conversation), status: .created)
        }
    )

    private static let conversation = Route(
        .get,
        "/api/v1/chat/conversations/{conversationId}",
        name: "getConversation",
        summary: "One conversation, without its messages.",
        reply: .json(ConversationWire.self, "The conversation."),
        problems: [.notFound],
        handler: .requires(.chat) { call, context in
            let id: ConversationID = try call.identifier(.conversationId)
            return try .json(ConversationWire(try await call.services.chat.conversation(id, context: context)))
        }
    )

    private static let updateConversation = Route(
        .patch,
        "/api/v1/chat/conversations/{conversationId}",
        name: "updateConversation",
        summary: "Names a conversation, or changes what its next messages fall back to.",
        body: RouteBody(ConversationDraftWire.self, limit: Limits.chatBodyBytes),
        reply: .json(ConversationWire.self, "The conversation as it is now."),
        problems: [.notFound],
        handler: .requires(.chat) { call, context in
            let draft: ConversationDraftWire = try call.decodedBody()
            let conversation = try await call.services.chat.updateConversation(
                call.identifier(.conversationId),
                title: draft.title,
                settings: draft.settings,
                context: context
            )
            return try .json(ConversationWire(conversation))
        }
    )

    private static let deleteConversation = Route(
        .delete,
        "/api/v1/chat/conversations/{conversationId}",
        name: "deleteConversation",
        summary: "Ends a conversation's runs and removes it whole.",
        reply: .nothing("It is gone."),
        problems: [.notFound],
        handler: .requires(.chat) { call, context in
            try await call.services.chat.deleteConversation(call.identifier(.conversationId), context: context)
            return .nothing
        }
    )

    private static let messages = Route(
        .get,
        "/api/v1/chat/conversations/{conversationId}/messages",
        name: "listMessages",
        summary: "The messages of a conversation, as a tree by `parentId`.",
        reply: .json(ChatMessageListWire.self, "The messages, oldest first."),
        problems: [.notFound],
        handler: .requires(.chat) { call, context in
            let id: ConversationID = try call.identifier(.conversationId)
            let messages = try await call.services.chat.messages(of: id, context: context)
            return try .json(ChatMessageListWire(messages: messages.map(ChatMessageWire.init)))
        }
    )

    private static let send = Route(
        .post,
        "/api/v1/chat/conversations/{conversationId}/messages",
        name: "sendMessage",
        summary: "Asks a question. The answer is made whether you stay or not.",
        body: RouteBody(SendMessageWire.self, limit: Limits.chatBodyBytes),
        reply: .json(
            SentMessageWire.self,
            "The question is stored. With `Accept: text/event-stream` the run's events follow at once, with 200.",
            status: .accepted,
            events: ChatEventWire.self
        ),
        problems: [.notFound, .conflict],
        handler: .requires(.chat) { call, context in
            let message: SendMessageWire = try call.decodedBody()
            let chat = call.services.chat
            let run = try await chat.send(
                message.content,
                to: call.identifier(.conversationId),
                parent: message.parentId,
                settings: message.settings ?? ChatSettings(),
                context: context
            )
            guard call.wantsEvents else { return try .json(SentMessageWire(run), status: .accepted) }
            return ChatRunRoutes.events(of: run.id, after: 0, chat, context)
        }
    )
}
