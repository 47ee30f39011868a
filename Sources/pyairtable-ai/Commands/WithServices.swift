import Airtable
import App
import Domain
import Foundation
import Logging
import Search

/// Opens the data directory, runs `body` as its owner, and closes it, whatever happens.
///
/// - Parameters:
///   - makesData: whether a data directory that is not there is made; otherwise a misspelt one is told.
///   - isQuiet: whether the log holds warnings alone when nobody set its level: a person reads the answer beside it.
///   - timeout: how long the command's calls may take altogether; a command line has time.
func withServices(
    _ shared: SharedOptions,
    makesData: Bool = true,
    isQuiet: Bool = false,
    timeout: Duration = .seconds(24 * 3_600),
    adding settings: [Setting: String?] = [:],
    _ body: (Services, RequestContext) async throws -> Void
) async throws {
    var configuration = try shared.configuration(adding: settings)
    if isQuiet, configuration.sources[.logLevel] == .default { configuration.logLevel = .warning }
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

extension Services {
    /// Refuses a name that stands for nothing before anything is done with it, and tells when there is nothing at all.
    ///
    /// - Throws: `SearchError` `unknownBase` or `unknownTable` for the first that is not there, as a search would.
    func check(bases: [String], tables: [String], context: RequestContext) async throws {
        let all = try await airtable.bases(context: context)
        if all.isEmpty { Console.writeError("there are no bases yet; pyairtable-ai import brings them\n") }
        var chosen: [Base] = []
        for name in bases {
            do {
                chosen.append(try await airtable.base(name, context: context))
            } catch let error as AirtableError where error.kind == .notFound {
                throw SearchError.unknown(.unknownBase, name, among: all.map(\.name))
            }
        }
        let places = bases.isEmpty ? all : chosen
        for name in tables {
            var others: [String] = []
            var isThere = false
            for base in places where !isThere {
                do {
                    _ = try await airtable.table(name, in: base.id, context: context)
                    isThere = true
                } catch let error as AirtableError where error.kind == .notFound {
                    others += try await airtable.tables(in: base.id, context: context).map(\.name)
                }
            }
            if !isThere { throw SearchError.unknown(.unknownTable, name, among: others) }
        }
    }
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
