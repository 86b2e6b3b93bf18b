import VidData
import VidSystem

/// The files that explanations are written to.
package struct ExplanationFiles {
    /// The files for one input.
    package struct Paths: Sendable {
        package var picture: String?
        package var animation: String?
        /// Whether the user names the files, so that links in their place are followed.
        package var areNamed = false

        package init() {}

        package var all: [String] { [picture, animation].compactMap(\.self) }
    }

    private enum Target {
        case folder(String)
        case files(Paths)
    }

    private let target: Target
    private let withAnimation: Bool
    private let inputs: [String]
    private var used: Set<String> = []

    /// - Parameter output: a folder or, for one input, a file; nil for the working folder.
    /// - Throws: `.usage` for one file with several inputs, or for an unknown kind of file.
    package init(output: String?, inputs: [String], withAnimation: Bool) throws {
        self.withAnimation = withAnimation
        self.inputs = inputs
        guard let output else {
            target = .folder("")
            return
        }
        let isFolder = output.utf8.last == UInt8(ascii: "/") || (try? SystemCall.status(output))?.kind == .folder
        let kind = PathText.fileExtension(output)
        guard !isFolder, !kind.isEmpty else {
            try Folder.make(output)
            target = .folder(output)
            return
        }
        var paths = Paths()
        if AnimationWriter.Format(path: output) != nil {
            paths.animation = output
        } else if kind == "png" {
            paths.picture = output
            if withAnimation { paths.animation = PathText.join(ExplanationFiles.folder(of: output), PathText.stem(output) + ".gif") }
        } else {
            throw VidclassError.file(
                output, "--output takes a folder or a name that ends in .png, .gif, .webp, .apng or .mp4, not .\(kind.printable)",
                kind: .usage)
        }
        guard inputs.count <= 1 else {
            throw VidclassError.file(output, "--output names one file for \(inputs.count) inputs; name a folder", kind: .usage)
        }
        paths.areNamed = true
        try paths.all.forEach(AtomicFile.check)
        target = .files(paths)
    }

    /// The files for an input. Inputs with the same name get numbers; no file is one of the inputs.
    package mutating func next(for input: String) throws -> Paths {
        var paths = Paths()
        switch target {
        case .files(let files): paths = files
        case .folder(let folder):
            let stem = ClipPath(input).stem + "-explain"
            var name = stem
            var number = 1
            while !used.insert(name).inserted {
                number += 1
                name = "\(stem)-\(number)"
            }
            paths.picture = PathText.join(folder, name + ".png")
            if withAnimation { paths.animation = PathText.join(folder, name + ".gif") }
        }
        for path in paths.all {
            guard let identity = (try? SystemCall.status(path))?.identity else { continue }
            // GIFs are clips, too: one that an earlier call wrote may be an input of this one.
            if let taken = inputs.first(where: { (try? SystemCall.status(ClipPath.file($0)))?.identity == identity }) {
                let whose = taken == input ? "the input itself" : "another input"
                throw VidclassError.file(path, "is \(whose), which is not overwritten; name another place with --output", kind: .usage)
            }
        }
        return paths
    }

    private static func folder(of path: String) -> String {
        let parent = PathText.parent(path)
        return parent == "." && !path.hasPrefix("./") ? "" : parent
    }
}
