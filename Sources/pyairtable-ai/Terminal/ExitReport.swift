import ArgumentParser
import Domain
import Foundation

/// How the program ends when it can't do what was asked: the exit code, and what stderr says.
///
/// 0 ok, 1 failure, 2 usage, 3 not found, 4 not configured, 5 busy. With `--json` a failure is one object
/// `{"error":{"code","message","hint"}}` on stderr.
enum ExitReport {
    static func end(with error: any Error, wantsJSON: Bool) -> Never {
        if let requested = error as? ExitCode { Foundation.exit(requested.rawValue) }
        let status = PyAirtableAI.exitCode(for: error)
        if status == .success {
            // Help and version are answers, not errors.
            Console.write(PyAirtableAI.fullMessage(for: error) + "\n")
            Foundation.exit(0)
        }
        let report = describe(error)
        if wantsJSON {
            var body: JSONObject = ["code": .string(report.code), "message": .string(report.message)]
            if let hint = report.hint { body["hint"] = .string(hint) }
            Console.writeError(JSONValue.object(["error": .object(body)]).text + "\n")
        } else if report.isUsage {
            Console.writeError(PyAirtableAI.fullMessage(for: error) + "\n")
        } else {
            Console.writeError("error: \(report.message)\n")
            if let hint = report.hint { Console.writeError("hint: \(hint)\n") }
        }
        Foundation.exit(report.exitCode)
    }

    private struct Report {
        var code: String
        var message: String
        var hint: String?
        var exitCode: Int32
        var isUsage = false
    }

    private static func describe(_ error: any Error) -> Report {
        if let failure = error as? any Failure { return describeFailure(failure) }
        if error is CancellationError { return Report(code: "CANCELLED", message: "cancelled", exitCode: 1) }
        if PyAirtableAI.exitCode(for: error) == .validationFailure {
            let message = PyAirtableAI.message(for: error)
            return Report(code: "USAGE", message: message, hint: "--help lists the options", exitCode: 2, isUsage: true)
        }
        return Report(code: "INTERNAL", message: String(describing: error), exitCode: 1)
    }

    private static func describeFailure(_ failure: some Failure) -> Report {
        let code = failure.code.rawValue
        return Report(code: code, message: failure.message, hint: failure.hint, exitCode: exitCode(failure.kind))
    }

    static func exitCode(_ kind: FailureKind) -> Int32 {
        switch kind {
        case .notFound: 3
        case .notConfigured: 4
        case .busy, .timedOut: 5
        case .invalid, .unauthenticated, .forbidden, .conflict, .tooLarge, .cancelled, .corrupt, .internal: 1
        }
    }
}

/// A combination of options that can't work; exits with 2, as misspelt options do.
struct UsageError: Error {
    static func because(_ message: String) -> ValidationError { ValidationError(message) }
}
