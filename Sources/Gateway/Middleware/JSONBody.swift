import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// Reads the JSON body of a request, bounded by what the route takes.
enum JSONBody {
    /// Whether a body that nobody read may be left for the server to skip: there is none, or it says that it is short.
    static func isSkippable(_ headers: HTTPFields) -> Bool {
        if headers.contains(.transferEncoding) { return false }
        guard let length = headers[.contentLength] else { return true }
        return Int(length).map { $0 <= Limits.skippedBodyBytes } ?? false
    }

    /// - Throws: `unsupportedMediaType`, `bodyTooLarge`, `bodyInterrupted`.
    static func bytes(of request: Request, as body: RouteBody) async throws -> [UInt8] {
        try requireJSON(request.headers)
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > body.limit {
            throw GatewayError.bodyTooLarge(body.limit)
        }
        do {
            return Array(buffer: try await request.body.collect(upTo: body.limit))
        } catch is NIOTooManyBytesError {
            throw GatewayError.bodyTooLarge(body.limit)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw GatewayError(.bodyInterrupted, "The body could not be read to its end.", detail: "\(error)")
        }
    }

    /// - Throws: `JSONError` for what is no JSON; `invalidBody` for JSON that the schema refuses, members it does not
    ///   name included.
    static func value(of bytes: [UInt8], as body: RouteBody) throws -> JSONValue {
        let value = try JSONValue(parsing: bytes)
        let violations = body.shape.schema.violations(of: value, limit: 5)
        guard violations.isEmpty else {
            throw GatewayError(
                .invalidBody,
                "The body does not fit: \(violations.map(\.description).joined(separator: "; ")).",
                hint: "its schema is \(body.shape.name) in /openapi.json"
            )
        }
        return value
    }

    /// `application/json`, in UTF-8 and not compressed.
    private static func requireJSON(_ headers: HTTPFields) throws(GatewayError) {
        if headers[.contentType] == "application/json", headers[.contentEncoding] == nil { return }
        let parts = (headers[.contentType] ?? "").lowercased().split(separator: ";")
            .map { $0.trimmingPrefix { $0 == " " }.replacing(" ", with: "") }
        let isJSON = parts.first == "application/json"
        let isUTF8 = parts.dropFirst().allSatisfy { ["charset=utf-8", "charset=\"utf-8\""].contains($0) }
        let isPlain = headers[.contentEncoding].map { $0.lowercased() == "identity" } ?? true
        guard isJSON, isUTF8, isPlain else {
            throw GatewayError(
                .unsupportedMediaType,
                "The body must be JSON in UTF-8, not compressed.",
                hint: "send it with `Content-Type: application/json`"
            )
        }
    }
}
