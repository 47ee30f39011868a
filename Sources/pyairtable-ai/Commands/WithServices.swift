import App
import Domain
import Logging

/// Opens the data directory, runs `body` as its owner, and closes it, whatever happens.
///
/// - Parameter timeout: how long the command's calls may take altogether; a command line has time.
func withServices(
    _ shared: SharedOptions,
    timeout: Duration = .seconds(24 * 3_600),
    adding settings: [Setting: String?] = [:],
    _ body: (Services, RequestContext) async throws -> Void
) async throws {
    let configuration = try shared.configuration(adding: settings)
    let services = try await Services.open(configuration, logger: .standardError(configuration))
    do {
        try await body(services, try await services.ownerContext(.commandLine, timeout: timeout))
    } catch {
        await services.close()
        throw error
    }
    await services.close()
}
