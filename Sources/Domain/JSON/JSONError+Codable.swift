// What `Codable` reports, in our words.

extension JSONError {
    init(_ error: DecodingError) {
        switch error {
        case .typeMismatch(_, let context): self.init(.typeMismatch, context)
        case .valueNotFound(_, let context): self.init(.missingValue, context)
        case .dataCorrupted(let context): self.init(.invalidValue, context)
        case .keyNotFound(let key, let context):
            let missing = "the member '\(key.stringValue)' is missing"
            self.init(
                .missingKey,
                DecodingError.Context(codingPath: context.codingPath, debugDescription: missing)
            )
        @unknown default: self.init(.invalidValue, "the value does not fit", detail: "\(error)", path: "")
        }
    }

    init(_ error: EncodingError) {
        switch error {
        case .invalidValue(_, let context):
            let path = JSONCodingPath.text(context.codingPath)
            self.init(.notRepresentable, Self.message(path, context.debugDescription), path: path)
        @unknown default:
            self.init(.notRepresentable, "the value can't be written as JSON", detail: "\(error)", path: "")
        }
    }

    private init(_ code: Code, _ context: DecodingError.Context) {
        let path = JSONCodingPath.text(context.codingPath)
        self.init(
            code,
            Self.message(path, context.debugDescription),
            detail: context.underlyingError.map { "\($0)" },
            path: path
        )
    }

    private static func message(_ path: String, _ text: String) -> String {
        path.isEmpty ? text : "at \(path): \(text)"
    }
}
