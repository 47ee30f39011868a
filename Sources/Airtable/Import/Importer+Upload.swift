public import Domain
import Foundation

/// A file that came with a request.
public struct ImportUpload: Sendable {
    let file: SpooledFile
    /// As messages call it.
    let name: String

    public init(file: SpooledFile, name: String) {
        self.file = file
        self.name = name
    }
}

extension Importer {
    /// Makes a base of an upload.
    ///
    /// - Throws: as `run(_:options:)`; messages name the upload, not the place where it lies.
    public func run(_ upload: ImportUpload, options: ImportOptions) async throws -> ImportReport {
        try await naming(upload) {
            if options.baseName == nil, try !DocumentSource.isOne(upload.file.path) {
                throw ImportError(.malformedPlan, "the base needs a name", hint: "give it with ?name=")
            }
            return try await run(upload.file.path, options: options)
        }
    }

    /// Adds rows to a table of `base`, or a new table, when there is none of that name or identifier.
    ///
    /// - Throws: as `run(_:options:)`; `AccessError` for a new table when only rows may be written.
    public func run(
        _ upload: ImportUpload,
        intoTable nameOrID: String,
        of base: Base,
        options: ImportOptions
    ) async throws -> ImportReport {
        try await naming(upload) {
            if try DocumentSource.isOne(upload.file.path) {
                throw ImportError(
                    .malformedPlan,
                    "\(upload.file.path) is a whole base, not a table",
                    hint: "POST it to /api/v1/airtable/import"
                )
            }
            let tables = try await reads(.schemaRead).tables(in: base.id, context: context)
            let present =
                tables.first { $0.id.description == nameOrID } ?? tables.first { nameKey($0.name) == nameKey(nameOrID) }
            let table = ImportPlan.TablePlan(name: present?.name ?? nameOrID, file: upload.file.path)
            var options = options
            options.mode = .append
            if !options.isDryRun { try await clearInterrupted() }
            return try await run(ImportPlan(baseName: base.name, tables: [table]), options: options, over: base)
        }
    }

    private func naming(
        _ upload: ImportUpload,
        _ body: () async throws -> ImportReport
    ) async throws -> ImportReport {
        do {
            var report = try await body()
            report.skipped = report.skipped.map { $0.naming(upload) }
            return report
        } catch let error as ImportError {
            throw error.naming(upload)
        }
    }
}

extension ImportError {
    fileprivate func naming(_ upload: ImportUpload) -> ImportError {
        ImportError(
            code,
            message.replacing(upload.file.path, with: upload.name),
            hint: hint,
            line: line,
            isMissing: isMissing
        )
    }
}
