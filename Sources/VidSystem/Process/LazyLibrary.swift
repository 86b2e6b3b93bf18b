/// A shared library that is loaded when it is first needed: loading it takes long, and few commands need it.
package struct LazyLibrary: Sendable {
    /// With an article: `FFmpeg's libraries`, `the HDF5 library`.
    package let name: String
    /// What needs it: `reading videos and sounds`.
    package let purpose: String
    /// Its version; nil if it cannot be loaded.
    package let version: String?
    /// Debian's packages of the version with which the program was built.
    package let packages: String
    private let fault: String

    /// - Parameters:
    ///   - load: loads the library, and returns the reason if that fails.
    ///   - readVersion: its version once it is loaded.
    package init(
        _ name: String, for purpose: String, packages: String, load: () -> UnsafePointer<CChar>?, readVersion: () -> UnsafePointer<CChar>?
    ) {
        self.name = name
        self.purpose = purpose
        self.packages = packages
        fault = load().map { String(cString: $0).printable } ?? ""
        version = fault.isEmpty ? readVersion().map { String(cString: $0) } : nil
    }

    /// Throws if the library cannot be loaded: `.missingInput` with the packages to install, `.other` if it is there and memory is missing.
    package func require() throws {
        if let complaint { throw VidclassError(lacksMemory ? .other : .missingInput, complaint) }
    }

    /// Whether the library is installed but did not fit into this process's memory. Only the loader's message says so.
    private var lacksMemory: Bool { fault.contains("failed to map segment") || fault.contains("annot allocate memory") }

    /// That the library is missing, and what to do; nil if it is loaded.
    package var complaint: String? {
        guard version == nil else { return nil }
        return "\(name), for \(purpose), cannot be loaded (\(fault)). "
            + (lacksMemory ? Machine.memoryAdvice : "Install this version (Debian, Ubuntu: apt-get install \(packages))")
    }
}
