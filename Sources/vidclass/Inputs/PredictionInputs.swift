import VidData
import VidReport
import VidSystem

/// The inputs of `predict` and `explain`, file by file and in order, with those that name nothing.
struct PredictionInputs {
    struct Input {
        /// Its name in the results.
        let name: String
        /// Its place in the list that names it.
        fileprivate var number: Int?
        /// A place in `paths`, or why there is no file.
        let clip: Result<Int, VidclassError>
    }

    private(set) var inputs: [Input] = []
    /// The files of the inputs that have one.
    private(set) var paths: [String] = []
    private let list: InputList?
    private var standardInput: (file: StandardInput, clip: Int)?
    private var seen: Set<ByteText> = []
    private var repeated = 0

    /// Finds the files that `arguments`, then the entries of `list` name: each file once, in order.
    ///
    /// - Parameters:
    ///   - readsStandardInput: whether `-` is a clip on standard input.
    ///   - head: the first bytes of standard input, if they have been read.
    init(_ arguments: [String], list: InputList? = nil, readsStandardInput: Bool, head: [UInt8]? = nil) {
        self.list = list
        for argument in arguments {
            if readsStandardInput, argument == StandardInput.name {
                addStandardInput(head)
            } else {
                add(argument, number: nil) { try ClipInputs.clips(at: argument, note: PredictionInputs.note) }
            }
        }
        for entry in list?.entries ?? [] {
            add(entry.path, number: entry.number) {
                guard entry.isText else {
                    throw VidclassError.file(entry.path, "the path is not valid UTF-8; rename the file")
                }
                return try ClipInputs.clips(at: entry.path, expandingPatterns: false, note: PredictionInputs.note)
            }
        }
        if repeated > 0 {
            PredictionInputs.note("\(Formatting.count(repeated, "input is", "inputs are")) named more than once; each is used once")
        }
    }

    private static func note(_ text: String) { Terminal.note(Terminal.fitted("note: " + text)) }

    private mutating func add(_ name: String, number: Int?, _ find: () throws -> [String]) {
        do {
            for path in try find() where isNew(path) { add(path, number, path: path) }
        } catch {
            let error = error as? VidclassError ?? VidclassError(.other, "\(error)")
            if isNew(name) { inputs.append(Input(name: name, number: number, clip: .failure(error))) }
        }
    }

    private mutating func add(_ name: String, _ number: Int? = nil, path: String) {
        inputs.append(Input(name: name, number: number, clip: .success(paths.count)))
        paths.append(path)
    }

    private mutating func addStandardInput(_ head: [UInt8]?) {
        do {
            let input = try StandardInput(head: head)
            standardInput = (input, paths.count)
            add(StandardInput.name, path: input.path)
        } catch {
            let error = error as? VidclassError ?? VidclassError(.other, "\(error)")
            inputs.append(Input(name: StandardInput.name, clip: .failure(error)))
        }
    }

    private mutating func isNew(_ path: String) -> Bool {
        let isNew = seen.insert(ByteText(path)).inserted
        if !isNew { repeated += 1 }
        return isNew
    }

    /// The error with the input's name as the user wrote it, and its place in the list.
    func placed(_ error: VidclassError, of input: Input) -> VidclassError {
        if let list, let number = input.number { return list.placed(error, number) }
        if let standardInput, case .success(standardInput.clip) = input.clip { return standardInput.file.renamed(error) }
        return error
    }
}
