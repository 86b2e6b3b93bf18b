import VidSystem
import VidTensor

/// Synthetic data with a label for each clip, which `synth` writes.
package protocol SyntheticData: Sendable {
    /// The extension of the clips' files, without a dot.
    static var fileExtension: String { get }
    /// The names of the classes, in the order of their numbers.
    var labels: [String] { get }
    /// Writes clip `number` of class `label` (a place in `labels`).
    func write(label: Int, number: Int, to path: String) throws
}

extension SyntheticData {
    /// Writes `clipsPerClass` clips of each class to `folder`/<class>/<number>.EXTENSION, several at a time.
    ///
    /// Throws if the folder contains anything other than such clips.
    package func write(
        to folder: String, clipsPerClass: Int, progress: @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws {
        guard (1...100_000).contains(clipsPerClass) else {
            throw VidclassError(.usage, "clips per class: expected 1 to 100000, found \(clipsPerClass)")
        }
        let digits = max(3, String(clipsPerClass - 1).count)
        let names = (0..<clipsPerClass).map { number in
            let text = String(number)
            return String(repeating: "0", count: digits - text.count) + text + "." + Self.fileExtension
        }
        try checkFolder(folder, names: Set(names))
        for label in labels { try Folder.make(PathText.join(folder, label)) }
        let total = labels.count * clipsPerClass
        var done = 0
        try await runConcurrently(total, limit: Workers.processorCount) { number in
            let (index, label) = number.quotientAndRemainder(dividingBy: labels.count)
            let path = PathText.join(PathText.join(folder, labels[label]), names[index])
            try write(label: label, number: index, to: path)
        } finish: { _, _ in
            done += 1
            progress(done, total)
        }
    }

    /// Throws if `folder` contains anything else: with other clips in it, the data set would not be the requested one.
    private func checkFolder(_ folder: String, names: Set<String>) throws {
        guard (try? SystemCall.status(folder)) != nil else { return }
        func refuse(_ found: String) -> VidclassError {
            .file(folder, "is not empty (it contains \(found.printable)); choose another folder or remove it")
        }
        for name in try Folder.names(folder).names where !PathText.isHidden(name) {
            guard labels.contains(name) else { throw refuse(name) }
            for file in try Folder.names(PathText.join(folder, name)).names where !PathText.isHidden(file) {
                guard names.contains(file) else { throw refuse("\(name)/\(file)") }
            }
        }
    }
}
