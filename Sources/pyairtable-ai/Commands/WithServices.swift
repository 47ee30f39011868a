import App
import Domain
import Foundation
import Logging

/// Opens the data directory, runs `body` as its owner, and closes it, whatever happens.
///
/// - Parameters:
///   - makesData: whether a data directory that is not there is made; otherwise a misspelt one is told.
///   - timeout: how long the command's calls may take altogether; a command line has time.
func withServices(
    _ shared: SharedOptions,
    makesData: Bool = true,
    timeout: Duration = .seconds(24 * 3_600),
    adding settings: [Setting: String?] = [:],
    _ body: (Services, RequestContext) async throws -> Void
) async throws {
    let configuration = try shared.configuration(adding: settings)
    if !makesData { try requireData(configuration) }
    let services = try await Services.open(configuration, logger: .standardError(configuration))
    do {
        try await body(services, try await services.ownerContext(.commandLine, timeout: timeout))
    } catch {
        await services.close()
        throw error
    }
    await services.close()
}

/// - Throws: `MissingDataError` when there is no data directory yet.
func requireData(_ configuration: AppConfiguration) throws {
    // On PostgreSQL the data is elsewhere, and a new replica's directory begins empty.
    if configuration.databaseURL.hasPrefix("postgres") { return }
    guard !FileManager.default.fileExists(atPath: configuration.dataDirectory) else { return }
    throw MissingDataError(directory: configuration.dataDirectory)
}

/// There is nothing where the data should be.
struct MissingDataError: Failure {
    enum Code: String, Sendable { case dataMissing }

    let directory: String
    var code: Code { .dataMissing }
    var kind: FailureKind { .notFound }
    var message: String { "there is no data directory \(directory)" }
    var hint: String? { "import or serve makes it; --data names another" }
}
