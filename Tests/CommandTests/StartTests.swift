import Foundation
import Testing
import VidSystem
import VidTestSupport

/// What the program needs before it does anything.
@Suite struct StartTests {
    @Test func theVersionIsANumberAndACommit() throws {
        let shown = try CommandLineTool.run(["--version"], in: "/tmp")
        #expect(shown.status == 0 && shown.output.hasPrefix(Version.number), "\(shown.output)")
        #expect(try /[0-9]+\.[0-9]+\.[0-9]+( \(commit [0-9a-f]{12}(-dirty)?\))?\n/.wholeMatch(in: shown.output) != nil, "\(shown.output)")
    }

    /// Large libraries are loaded when they are first needed: loading them all takes a tenth of a second.
    @Test func noLargeLibraryIsLinked() throws {
        // The loader lists the libraries instead of starting the program.
        let listed = try CommandLineTool.run([], in: "/tmp", environment: ["LD_TRACE_LOADED_OBJECTS": "1"])
        #expect(listed.output.contains("libc.so"), "\(listed.output)")
        for name in ["libav", "libswscale", "libhdf5", "libcairo", "libcurl", "libX11", "libgfortran"] {
            #expect(!listed.output.contains(name), "\(listed.output)")
        }
    }

    @Test func doctorNamesTheLibrariesAndTheirPackages() throws {
        let shown = try CommandLineTool.run(["doctor", "--json"], in: "/tmp")
        let document = try #require(try JSONSerialization.jsonObject(with: Data(shown.output.utf8)) as? [String: Any])
        for key in ["libav", "hdf5", "cairo", "libcurl"] { #expect(document[key] is String, "\(key): \(shown.output)") }
        let packages = try #require(document["packages"] as? [String])
        #expect(packages.contains("libcairo2") && packages.contains { $0.hasPrefix("libavformat") } && packages.contains("libcurl4"))
    }
}
