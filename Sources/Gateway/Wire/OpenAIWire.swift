import Domain

/// A shape of OpenAI's dialect in the API document.
///
/// Its schemas name the members that count and check nothing: the dialect's own reader does, in the dialect's own words,
/// and clients of it send members that are not known here.
protocol OpenAIWire: DocumentedWireType {
    init(json: JSONValue)
    var json: JSONValue { get }
}

extension OpenAIWire {
    init(from decoder: any Decoder) throws { self.init(json: try JSONValue(from: decoder)) }
    func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }

    fileprivate static func open(_ members: KeyValuePairs<String, String>, _ description: String) -> JSONSchema {
        JSONSchema(json: [
            "type": "object", "description": .string(description),
            "properties": .object(
                JSONObject(members.lazy.map { (key: $0.key, value: ["description": .string($0.value)]) })
            ),
        ])
    }
}

struct ChatCompletionBody: OpenAIWire {
    let json: JSONValue
    static let schemaName = "ChatCompletionRequest"
    static let schema = open(
        [
            "model": "A name of `GET /v1/models`.",
            "messages": "The conversation: `system`, `user`, `assistant` and `tool`, texts only.",
            "tools": "Functions the model may ask for; the caller runs them.",
            "tool_choice": "`auto`, `none`, `required`, or one function.",
            "response_format": "`text`, `json_object` or `json_schema`.",
            "stream": "Whether the answer comes as server-sent events.",
            "stream_options": "`include_usage`: whether the last event but one tells the usage.",
            "max_completion_tokens": "Tokens written at most; also `max_tokens`.",
            "temperature": "From 0 to 2.",
            "top_p": "From 0 to 1.",
            "stop": "Up to four texts that end the answer.",
            "seed": "For models that can repeat themselves.",
            "reasoning_effort": "`none`, `minimal`, `low`, `medium` or `high`.",
            "n": "1.",
        ],
        "A chat completion as OpenAI's API takes it. Members that are not listed are passed over."
    )
    static let sample = ChatCompletionBody(json: [
        "model": "gemini/gemini-flash-latest", "messages": [["role": "user", "content": "Which gas is the lightest?"]],
    ])
}

struct ChatCompletionWire: OpenAIWire {
    let json: JSONValue
    static let schemaName = "ChatCompletion"
    static let schema = open(
        [
            "id": "Names the answer.", "object": "`chat.completion`.", "created": "Seconds since 1970.",
            "model": "The model that answered.",
            "choices": "One: `message`, and `finish_reason` (`stop`, `length`, `tool_calls`, `content_filter`).",
            "usage": "Tokens, as the model's provider counts them.",
        ],
        "A chat completion as OpenAI's API gives it."
    )
    static let sample = ChatCompletionWire(json: [
        "id": "chatcmpl-3f1c7a52", "object": "chat.completion", "created": 1_764_400_000,
        "model": "gemini/gemini-flash-latest",
        "choices": [
            ["index": 0, "message": ["role": "assistant", "content": "Hydrogen."], "finish_reason": "stop"]
        ],
        "usage": ["prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12],
    ])
}

struct ChatCompletionChunkWire: OpenAIWire {
    let json: JSONValue
    static let schemaName = "ChatCompletionChunk"
    static let schema = open(
        [
            "id": "Names the answer.", "object": "`chat.completion.chunk`.", "created": "Seconds since 1970.",
            "model": "The model that answers.",
            "choices": "One, with what is new in `delta`; none in the event that tells the usage.",
            "usage": "Tokens, in the last event, when `stream_options.include_usage` asks for it.",
        ],
        "A piece of a chat completion."
    )
    static let sample = ChatCompletionChunkWire(json: [
        "id": "chatcmpl-3f1c7a52", "object": "chat.completion.chunk", "created": 1_764_400_000,
        "model": "gemini/gemini-flash-latest",
        "choices": [["index": 0, "delta": ["content": "Hydro"], "finish_reason": nil]],
    ])
}

struct EmbeddingsBody: OpenAIWire {
    let json: JSONValue
    static let schemaName = "OpenAIEmbeddingsRequest"
    static let schema = open(
        [
            "model": "The embedding model of `GET /v1/models`.", "input": "A text, or some. Tokens are refused.",
            "encoding_format": "`float` or `base64` (little-endian Float32).",
            "dimensions": "The length of the model's vectors, or absent.",
        ],
        "Texts to embed as OpenAI's API takes them."
    )
    static let sample = EmbeddingsBody(json: ["model": "local/all-MiniLM-L6-v2", "input": ["a gas lighter than air"]])
}

struct EmbeddingsWire: OpenAIWire {
    let json: JSONValue
    static let schemaName = "OpenAIEmbeddings"
    static let schema = open(
        ["data": "One `embedding` for each text, with its `index`.", "model": "The model.", "usage": "Tokens read."],
        "Vectors as OpenAI's API gives them."
    )
    static let sample = EmbeddingsWire(json: [
        "object": "list", "data": [["object": "embedding", "index": 0, "embedding": [0.6, 0.8]]],
        "model": "local/all-MiniLM-L6-v2", "usage": ["prompt_tokens": 7, "total_tokens": 7],
    ])
}

struct ModelListWire: OpenAIWire {
    let json: JSONValue
    static let schemaName = "ModelList"
    static let schema = open(
        ["object": "`list`.", "data": "The models: `id` is the name to ask for, `owned_by` its provider."],
        "Models as OpenAI's API lists them."
    )
    static let sample = ModelListWire(json: [
        "object": "list",
        "data": [["id": "gemini/gemini-flash-latest", "object": "model", "created": 0, "owned_by": "gemini"]],
    ])
}
