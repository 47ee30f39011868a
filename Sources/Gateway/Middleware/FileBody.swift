import Airtable
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// Reads the body of a request into a file.
enum FileBody {
    /// - Throws: `unsupportedMediaType`, `bodyTooLarge`, `bodyInterrupted`, `SpoolError`.
    static func file(
        of request: Request,
        as upload: RouteUpload,
        _ query: QueryParameters,
        in spool: SpoolDirectory
    ) async throws -> SpooledFile {
        let ending = try ending(request.headers, format: query.text("format"))
        if let length = request.headers[.contentLength].flatMap({ Int64($0) }), length > upload.limit {
            throw GatewayError.bodyTooLarge(Int(upload.limit))
        }
        let file = try spool.makeFile(ending: ending, byteLimit: upload.limit)
        do {
            for try await buffer in request.body { try file.write(buffer.readableBytesView) }
        } catch let error as SpoolError {
            throw error.code == .tooLarge ? GatewayError.bodyTooLarge(Int(upload.limit)) : error
        } catch let error as CancellationError {
            throw error
        } catch {
            throw GatewayError(.bodyInterrupted, "The body could not be read to its end.", detail: "\(error)")
        }
        return file
    }

    private static func ending(_ headers: HTTPFields, format: String?) throws(GatewayError) -> String {
        let isPlain = headers[.contentEncoding].map { $0.lowercased() == "identity" } ?? true
        let parts = (headers[.contentType] ?? "").lowercased().split(separator: ";")
            .map { $0.filter { $0 != " " && $0 != "\"" } }
        let isUTF8 = parts.dropFirst().allSatisfy { !$0.hasPrefix("charset=") || $0 == "charset=utf-8" }
        let ending = format ?? parts.first.flatMap { RouteUpload.endings[$0] }
        guard let ending, RouteUpload.formats.contains(ending), isPlain, isUTF8 else {
            throw GatewayError(
                .unsupportedMediaType,
                "The file must be CSV, TSV, JSON or JSON Lines in UTF-8, not compressed.",
                hint:
                    "send it with `Content-Type: text/csv`, or say ?format=\(RouteUpload.formats.joined(separator: "|"))"
            )
        }
        return ending
    }
}
