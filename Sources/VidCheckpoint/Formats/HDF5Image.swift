import CHDF5
import Synchronization
import VidSystem
import VidTensor

/// HDF5 files of our own, made and read in memory: single-precision datasets below groups.
package enum HDF5Image {
    /// The bytes of a file with these datasets, in their order. Their paths are components joined by slashes. Equal values give equal bytes.
    ///
    /// - Parameter names: the attribute `name` of groups, by their path.
    /// - Throws: `.missingInput` if the library is not installed, `.other` if it fails, for example because memory runs out.
    package static func bytes(
        of datasets: [(path: String, shape: [Int], values: () -> [Float])], names: [(group: String, name: String)]
    ) throws -> [UInt8] {
        try HDF5File.library.require()
        return try HDF5File.lock.withLock { _ in
            let file = vc_hdf5_create()
            guard file >= 0 else { throw failure("make a file in memory") }
            defer { vc_hdf5_close(file) }
            for dataset in datasets {
                let shape = dataset.shape.map(Int64.init)
                let status = dataset.values().withUnsafeBufferPointer { values in
                    vc_hdf5_add(file, dataset.path, shape, Int32(shape.count), values.baseAddress)
                }
                guard status == 0 else { throw failure("add \(dataset.path.printable)") }
            }
            for (group, name) in names {
                guard vc_hdf5_set_text(file, group, "name", name) == 0 else { throw failure("name \(group)") }
            }
            let size = vc_hdf5_image(file, nil, 0)
            guard size >= 0 else { throw failure("finish its file") }
            var written: Int64 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: Int(size)) { buffer, initialized in
                written = vc_hdf5_image(file, buffer.baseAddress, size)
                initialized = Int(max(written, 0))
            }
            guard written == size else { throw failure("finish its file") }
            return bytes
        }
    }

    /// The datasets of a file that `bytes` made, whose bytes are the open file `descriptor`.
    ///
    /// - Parameter path: of the file, for errors.
    /// - Throws: `.badData` if it is damaged.
    package static func datasets(_ descriptor: Int32, size: Int, path: String) throws -> [(path: String, shape: [Int], values: [Float])] {
        try HDF5File.with(.init(path: path, descriptor: descriptor, size: size)) { file in
            var found: [(path: String, shape: [Int], values: [Float])] = []
            var groups = [""]
            while let group = groups.popLast() {
                for child in try file.children(group) {
                    let object = group.isEmpty ? child : "\(group)/\(child)"
                    guard let shape = try file.kind(object) == .group ? nil : file.floatShape(object) else {
                        groups.append(object)
                        continue
                    }
                    let buffer = try Buffer(allocating: shape.reduce(1, *))
                    let tensor = buffer.tensor([buffer.count])
                    try file.read(object, into: tensor)
                    found.append((object, shape, tensor.array))
                }
            }
            return found
        }
    }

    private static func failure(_ action: String) -> VidclassError {
        VidclassError(.other, "the HDF5 library could not \(action); is there enough memory?")
    }
}
