import VidData
import VidReport
import VidSystem
import VidTensor

/// What `predict` was asked about, file by file, with what could not be found.
struct PredictionInputs {
    struct Input {
        let path: String
        /// Its name in JSON and CSV.
        let name: String
        /// Its name for people.
        var shownName: String { name == StandardInput.name ? StandardInput.shownName : name }
    }

    private(set) var inputs: [Input] = []
    /// Arguments that name nothing.
    private(set) var failures = 0
    private let standardInput: StandardInput?

    /// Finds what `arguments` name: each file once, in their order. An argument that names nothing is reported, and, where it
    /// is the only one, thrown.
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
            Terminal.note("note: \(Formatting.count(repeated, "input is", "inputs are")) named more than once and looked at once")
        }
    }

    /// The error in words that name the input as the user did.
    func renamed(_ error: VidclassError, of input: Input) -> VidclassError {
        input.name == StandardInput.name ? standardInput?.renamed(error) ?? error : error
    }
}
