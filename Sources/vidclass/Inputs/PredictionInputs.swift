import VidData
import VidReport
import VidSystem

/// The inputs of `predict`, file by file.
struct PredictionInputs {
    struct Input {
        let path: String
        /// Its name in JSON and CSV.
        let name: String
    }

    private(set) var inputs: [Input] = []
    /// The number of arguments that name nothing.
    private(set) var failures = 0
    private let standardInput: StandardInput?

    /// Finds the files that `arguments` name: each file once, in order. Reports arguments that name nothing.
    ///
    /// - Throws: if the only argument names nothing.
    init(_ arguments: [String]) throws {
        var seen: Set<[UInt8]> = []
        var repeated = 0
        var piped: StandardInput?
        for argument in arguments {
            do {
                if argument == StandardInput.name {
                    let input = try StandardInput()
                    piped = input
                    inputs.append(Input(path: input.path, name: argument))
                    continue
                }
                for path in try ClipInputs.clips(at: argument) {
                    if seen.insert(Array(path.utf8)).inserted {
                        inputs.append(Input(path: path, name: path))
                    } else {
                        repeated += 1
                    }
                }
            } catch let error as VidclassError where arguments.count > 1 {
                Terminal.note("vidclass: error: \(error.message)")
                failures += 1
            }
        }
        standardInput = piped
        if repeated > 0 {
            Terminal.note("note: \(Formatting.count(repeated, "input is", "inputs are")) named more than once; each is classified once")
        }
    }

    /// The error with the input's name as the user wrote it.
    func renamed(_ error: VidclassError, of input: Input) -> VidclassError {
        input.name == StandardInput.name ? standardInput?.renamed(error) ?? error : error
    }
}
