internal import FoundationEssentials
internal import Synchronization
internal import VidRun
internal import VidSystem

/// The installed program `vidclass`, whose readers parse other people's formats for a host program.
enum ReaderProgram {
    private struct State {
        var named: String?
        /// The program that was found and has the right version.
        var found: String?
        var isRegistered = false
    }

    private static let state = Mutex(State())

    /// The program that the host names; nil if it names none.
    static var named: String? {
        get { state.withLock { $0.named } }
        set {
            state.withLock { state in
                state.named = newValue
                state.found = nil
            }
        }
    }

    /// Has readers find their program here. Everything in this library that may read a file calls this first.
    static func register() {
        let isNew = state.withLock { state in
            defer { state.isRegistered = true }
            return !state.isRegistered
        }
        if isNew { Readers.findProgram = find }
    }

    /// - Throws: `.missingInput` with where it was searched, `.other` if there are only other versions.
    @Sendable private static func find() async throws -> String {
        let (named, found) = state.withLock { ($0.named, $0.found) }
        if let found, ChildProcess.isProgram(found) { return found }
        var others: [String] = []
        let places = named.map { [$0] } ?? self.places
        for place in places where ChildProcess.isProgram(place) {
            guard let version = await version(of: place) else { continue }
            if version == Version.number {
                state.withLock { state in
                    if state.named == named { state.found = place }
                }
                return place
            }
            others.append("\(place.printable) is version \(version)")
        }
        guard others.isEmpty else {
            throw VidclassError(
                .other,
                "\(ReaderProgram.purpose) of the library's version, \(Version.number), but " + others.joined(separator: " and ")
                    + ". Install that version, or name its program")
        }
        let searched = places.map(\.printable).joined(separator: ", ")
        throw VidclassError(
            .missingInput,
            "\(ReaderProgram.purpose), which was not found (\(searched)). Install it, or name its path: VidClass.program in Swift, "
                + "vidclass_set_program in C. Frames in memory and .bin and .npy clips need no program")
    }

    private static let purpose = "videos, pictures, sounds and HDF5 files are read by the program vidclass"

    /// Where the program may be, in order.
    private static var places: [String] {
        var folders: [String] = []
        if let library = ownFile.map({ PathText.parent(Folder.resolved($0)) }) {
            folders += [library, PathText.join(PathText.parent(library), "bin")]
        }
        folders.append(PathText.parent(Folder.resolved("/proc/self/exe")))
        var places: [String] = []
        for place in folders.map({ PathText.join($0, "vidclass") }) + [ChildProcess.installed("vidclass")].compactMap(\.self)
        where !places.contains(place) {
            places.append(place)
        }
        return places
    }

    /// The file that this code was loaded from: the library or, if it is linked statically, the program. Swift cannot call `dladdr`.
    private static var ownFile: String? {
        let address = UInt(bitPattern: #dsohandle)
        guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8) else { return nil }
        for line in maps.split(separator: "\n") {
            // START-END RIGHTS OFFSET DEVICE INODE PATH, with hexadecimal addresses.
            let fields = line.split(separator: " ", maxSplits: 5)
            let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard bounds.count == 2, bounds[0] <= address, address < bounds[1], fields.count == 6 else { continue }
            return fields[5].drop { $0 == " " }.first == "/" ? String(fields[5].drop { $0 == " " }) : nil
        }
        return nil
    }

    /// The version that a program names; nil if it is no vidclass.
    private static func version(of program: String) async -> String? {
        var output: [UInt8] = []
        let child = ChildProcess(executable: program, arguments: ["--version"], timeLimit: .seconds(20), outputLimit: 1 << 10)
        guard let outcome = try? await child.run({ output.append(contentsOf: $0) }), outcome.status == 0 else { return nil }
        let word = String(decoding: output, as: UTF8.self).split(whereSeparator: \.isWhitespace).first
        return word.flatMap { $0.first?.isNumber == true ? String($0).printable : nil }
    }
}
