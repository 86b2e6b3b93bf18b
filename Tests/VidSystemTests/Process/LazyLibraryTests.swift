import Testing
import VidSystem

/// A library that is missing is an error that says what needs it and how to get it.
@Suite struct LazyLibraryTests {
    private func library(missing fault: StaticString?) -> LazyLibrary {
        LazyLibrary(
            "the library", for: "pictures", packages: "libone libtwo",
            load: { fault.map { UnsafeRawPointer($0.utf8Start).assumingMemoryBound(to: CChar.self) } },
            readVersion: { UnsafeRawPointer(("1.2" as StaticString).utf8Start).assumingMemoryBound(to: CChar.self) })
    }

    @Test func oneThatIsThereHasAVersion() throws {
        let library = library(missing: nil)
        #expect(library.version == "1.2" && library.complaint == nil)
        try library.require()
    }

    @Test func oneThatIsMissingNamesItsPackages() {
        let library = library(missing: "liblib.so.1: no such file")
        #expect(library.version == nil)
        let error = #expect(throws: VidclassError.self) { try library.require() }
        #expect(error?.kind == .missingInput)
        #expect(
            error?.message == "the library, for pictures, cannot be loaded (liblib.so.1: no such file). Install this version "
                + "(Debian, Ubuntu: apt-get install libone libtwo)")
    }

    /// As glibc says it under `ulimit -v`.
    @Test func oneThatHasNoRoomInMemoryIsNotToBeInstalled() {
        let error = #expect(throws: VidclassError.self) {
            try library(missing: "liblib.so.1: failed to map segment from shared object").require()
        }
        #expect(error?.kind == .other && error?.message.contains("memory") == true && error?.message.contains("nstall") == false)
    }
}
