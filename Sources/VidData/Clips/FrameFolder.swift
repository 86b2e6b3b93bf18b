import VidSystem

/// A folder of numbered pictures that is one clip: `frame0001.jpg`, `frame0002.jpg`, ... are its frames, in the order of their numbers.
///
/// The number is the last run of digits in a name; what stands before and after it is the same in all names, except for the extension.
/// Hidden files, files of other kinds and pictures without a number are passed over.
package struct FrameFolder: Sendable, Equatable {
    package let path: String
    /// The names of its pictures, by ascending numbers.
    package let names: [String]
    /// Nil if a number has more than 18 digits.
    private let numbers: [Int]?

    /// Whether the pictures in a folder are the frames of a clip, by their names.
    package enum Finding: Sendable, Equatable {
        case frames(FrameFolder)
        /// Numbered pictures that are not the frames of one clip, and why.
        case unclear(String)
        /// Fewer than two numbered pictures.
        case none
    }

    /// The fewest pictures of a clip.
    private static let fewest = 2
    private static let extensions: Set<String> = ["png", "jpg", "jpeg", "jpe", "jfif", "webp", "bmp", "tif", "tiff"]

    /// The kinds of pictures, for messages.
    static let expected = "PNG, JPEG, WebP, BMP or TIFF"

    /// Whether the extension of a file's name is that of a picture.
    static func isPicture(name: String) -> Bool { extensions.contains(PathText.fileExtension(name)) && !PathText.isHidden(name) }

    /// A picture's name in parts.
    private struct Name {
        let text: String
        let before: [UInt8]
        let after: [UInt8]
        /// The digits without zeros before them.
        let digits: [UInt8]

        /// Nil for a name without a number.
        init?(_ text: String) {
            let stem = Array(PathText.stem(text).utf8)
            let isDigit = { (byte: UInt8) in (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
            guard let last = stem.lastIndex(where: isDigit) else { return nil }
            let first = stem[...last].lastIndex { !isDigit($0) }.map { $0 + 1 } ?? 0
            self.text = text
            before = Array(stem[..<first])
            after = Array(stem[(last + 1)...])
            digits = Array(stem[first...last].drop { $0 == UInt8(ascii: "0") })
        }

        func hasSameStem(as other: Name) -> Bool { before == other.before && after == other.after }

        func precedes(_ other: Name) -> Bool {
            digits.count != other.digits.count ? digits.count < other.digits.count : digits.lexicographicallyPrecedes(other.digits)
        }
    }

    /// Looks for a clip among the visible files of the folder `path`. Of their `names`, those of other files are passed over.
    package static func find(in path: String, names: [String]) -> Finding {
        var pictures = names.filter(isPicture).compactMap(Name.init)
        guard pictures.count >= fewest, let first = pictures.first else { return .none }
        if let other = pictures.first(where: { !$0.hasSameStem(as: first) }) {
            return .unclear(
                "its \(pictures.count) numbered pictures are not one sequence, for example \(first.text.printable) and "
                    + "\(other.text.printable); give each sequence a folder of its own")
        }
        pictures.sort { $0.precedes($1) }
        if let (a, b) = zip(pictures, pictures.dropFirst()).first(where: { !$0.precedes($1) }) {
            return .unclear("two of its pictures have the same number, \(a.text.printable) and \(b.text.printable); remove one of them")
        }
        let numbers = pictures.map { $0.digits.isEmpty ? 0 : $0.digits.count > 18 ? nil : Int(String(decoding: $0.digits, as: UTF8.self)) }
        let known = numbers.compactMap(\.self)
        return .frames(
            FrameFolder(path: path, names: pictures.map(\.text), numbers: known.count == numbers.count ? known : nil))
    }

    private init(path: String, names: [String], numbers: [Int]?) {
        (self.path, self.names, self.numbers) = (path, names, numbers)
    }

    /// The folder of pictures at `path`. Throws `.badData` if it is none, and the errors of listing it.
    package init(_ path: String) throws {
        let names = try Folder.names(path).names.filter { !PathText.isHidden($0) }
        switch FrameFolder.find(in: path, names: names) {
        case .frames(let folder): self = folder
        case .unclear(let reason): throw VidclassError.file(path, "not a clip: \(reason)")
        case .none:
            let pictures = names.filter(FrameFolder.isPicture)
            let found =
                pictures.isEmpty
                ? "no pictures"
                : pictures.count == 1 ? "one picture, \(pictures[0].printable)" : "\(pictures.count) pictures without numbers"
            throw VidclassError.file(
                path, "not a clip; expected a file, or a folder of at least two numbered pictures (\(FrameFolder.expected)), found \(found)"
            )
        }
    }

    /// The number of frames.
    package var count: Int { names.count }

    /// The path of the picture of a frame.
    package func picture(_ frame: Int) -> String { PathText.join(path, names[frame]) }

    /// "numbers 17 and 20 to 22 are missing"; nil if none is. Where every nth picture was kept, n apart is without a gap.
    package var missing: String? {
        guard let numbers else { return nil }
        let steps = zip(numbers, numbers.dropFirst()).map { $1 - $0 }
        guard var step = steps.first else { return nil }
        for other in steps { step = FrameFolder.commonDivisor(step, other) }
        let gaps = zip(numbers, steps).filter { $1 > step }
        guard !gaps.isEmpty else { return nil }
        let count = gaps.reduce(0) { $0 + $1.1 / step - 1 }
        var texts = gaps.prefix(4).map { number, width in
            let (first, last) = (number + step, number + width - step)
            return first == last ? "\(first)" : last == first + step ? "\(first) and \(last)" : "\(first) to \(last)"
        }
        if gaps.count > 4 { texts = Array(texts.prefix(3)) + ["\(gaps.count - 3) more gaps (\(count) in all)"] }
        let list = texts.count == 1 ? texts[0] : texts.dropLast().joined(separator: ", ") + " and " + texts[texts.count - 1]
        return count == 1 ? "number \(list) is missing" : "numbers \(list) are missing"
    }

    private static func commonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : commonDivisor(b, a % b) }

    /// The statuses of all its pictures as one: their size together, the latest times, and an identity that is made of all their names,
    /// identities, sizes and times. It changes when a picture is changed, added, removed or renamed.
    package var status: FileStatus {
        get throws {
            var hash = SHA256()
            var (size, modified, changed) = (0, Int64.min, Int64.min)
            for name in names {
                let status = try SystemCall.status(PathText.join(path, name))
                let words =
                    [status.identity.device, status.identity.inode, UInt64(status.size)]
                    + [status.modified, status.changed].map(UInt64.init(bitPattern:))
                hash.update(Array(name.utf8) + [0] + words.flatMap(LittleEndian.bytes))
                size = Size.sum([size, status.size])
                modified = max(modified, status.modified)
                changed = max(changed, status.changed)
            }
            let digest = hash.digest()
            return FileStatus(
                kind: .folder, size: size,
                identity: FileStatus.Identity(device: LittleEndian.value(digest, 0), inode: LittleEndian.value(digest, 8)),
                modified: modified,
                changed: changed)
        }
    }
}

extension FileStatus {
    /// The status of the clip at `path`: a file's own, or that of a folder's pictures.
    package init(ofClip path: String) throws {
        let status = try SystemCall.status(path)
        self = status.kind == .folder ? try FrameFolder(path).status : status
    }
}
