import CHDF5
import Synchronization
import VidSystem
import VidTensor

/// An HDF5 file opened for reading: groups, lists of strings, and floating-point datasets.
///
/// The library's complaint about a damaged file becomes a one-line `.badData` error. Paths are components joined by
/// slashes, without a leading slash; "" is the root.
struct HDF5File: ~Copyable {
    enum Kind { case group, dataset, other }

    /// An open file.
    struct Source {
        /// For messages.
        let path: String
        let descriptor: Int32
        let size: Int
    }

    let path: String
    private let handle: Int64

    /// The HDF5 library, whose version is such as `1.10.8`. Asking for it loads it.
    static var library: LazyLibrary {
        LazyLibrary(
            "the HDF5 library", for: "Keras's files", packages: String(cString: vc_hdf5_package()), load: vc_hdf5_load,
            readVersion: vc_hdf5_version)
    }

    /// Only one thread at a time may use the library.
    static let lock = Mutex(())

    /// Opens `source` for `body`, which has the library to itself.
    static func with<Result>(_ source: Source, _ body: (borrowing HDF5File) throws -> sending Result) throws -> sending Result {
        try library.require()
        return try lock.withLock { _ in
            let file = try HDF5File(source)
            return try body(file)
        }
    }

    private init(_ source: Source) throws {
        path = source.path
        handle = vc_hdf5_open(source.descriptor, Int64(source.size))
        guard handle >= 0 else {
            throw VidclassError.file(path, "the HDF5 library cannot open it; it is damaged or cut short")
        }
    }

    deinit { if handle >= 0 { vc_hdf5_close(handle) } }

    /// The kind of `object`; nil if it does not exist.
    func kind(_ object: String) throws -> Kind? {
        let status = vc_hdf5_kind_of(handle, object)
        if status == VC_HDF5_ABSENT.rawValue { return nil }
        try check(status, object)
        return status == VC_HDF5_GROUP.rawValue ? .group : status == VC_HDF5_DATASET.rawValue ? .dataset : .other
    }

    /// The names in a group, sorted by bytes.
    func children(_ group: String) throws -> [String] {
        let (status, names) = list { vc_hdf5_children(handle, group, $0, $1) }
        try check(status, group)
        return try valid(names, group)
    }

    /// The string-list attribute `name` of `object`, including the form `name0`, `name1`, ... into which Keras splits a long
    /// one; nil if it has neither.
    func strings(_ object: String, _ name: String) throws -> [String]? {
        if let whole = try attribute(object, name) { return whole }
        var parts: [String]?
        var number = 0
        while number < 4096, let part = try attribute(object, "\(name)\(number)") {
            parts = (parts ?? []) + part
            number += 1
        }
        return parts
    }

    private func attribute(_ object: String, _ name: String) throws -> [String]? {
        let (status, strings) = list { vc_hdf5_strings(handle, object, name, $0, $1) }
        if status == VC_HDF5_ABSENT.rawValue { return nil }
        try check(status, "\(object), attribute \(name)")
        return try valid(strings, "\(object), attribute \(name)")
    }

    /// The extents of a floating-point dataset; nil for a dataset of anything else.
    func floatShape(_ dataset: String) throws -> [Int]? {
        var extents = [Int64](repeating: 0, count: Int(VC_HDF5_MAXIMUM_RANK))
        let rank = vc_hdf5_shape(handle, dataset, &extents)
        if rank == VC_HDF5_TYPE.rawValue { return nil }
        try check(rank, dataset)
        return extents.prefix(Int(rank)).map(Int.init)
    }

    /// Reads a dataset with exactly as many values as `tensor`, converted to single precision.
    func read(_ dataset: String, into tensor: Tensor) throws {
        try check(vc_hdf5_floats(handle, dataset, tensor.base, Int64(tensor.count)), dataset)
    }

    /// Calls `fill` with memory for NUL-terminated strings; returns its status and, if that is a count, the strings, with nil
    /// for one that is not UTF-8.
    private func list(_ fill: (UnsafeMutablePointer<CChar>, Int64) -> Int32) -> (status: Int32, strings: [String?]) {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: HDF5File.textCapacity) { text in
            guard let base = text.baseAddress else { return (VC_HDF5_TOO_LARGE.rawValue, []) }
            let status = fill(base, Int64(text.count))
            var next = base
            let strings = (0..<max(status, 0)).map { _ in
                defer { next += strlen(next) + 1 }
                return String(validatingCString: next)
            }
            return (status, strings)
        }
    }

    /// The largest list of strings in bytes; Keras splits attributes at 64 kB.
    private static let textCapacity = 1 << 18

    private func valid(_ strings: [String?], _ place: String) throws -> [String] {
        try strings.map {
            guard let string = $0 else { throw VidclassError.file(path, "\(HDF5File.show(place)): a name is not UTF-8") }
            return string
        }
    }

    private func check(_ status: Int32, _ place: String) throws {
        let reason: String
        switch status {
        case 0...: return
        case VC_HDF5_ABSENT.rawValue: reason = "is missing"
        case VC_HDF5_NOT_LOCAL.rawValue: reason = "is a link or outside this file; only the file's own content is read"
        case VC_HDF5_TYPE.rawValue: reason = "has an unexpected type (expected floating-point datasets in groups, lists of strings)"
        case VC_HDF5_TOO_LARGE.rawValue: reason = "is larger than anything expected here"
        case VC_HDF5_HOLLOW.rawValue: reason = "stores fewer bytes than its shape needs"
        default: reason = "is damaged: the HDF5 library cannot read it"
        }
        throw VidclassError.file(path, "\(HDF5File.show(place)) \(reason)")
    }

    private static func show(_ place: String) -> String {
        place.isEmpty ? "the root group" : place.hasPrefix(",") ? "the root group\(place)" : place
    }
}
