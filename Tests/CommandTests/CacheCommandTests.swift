import Foundation
import Testing
import VidCheckpoint
import VidConfig
import VidSystem
import VidTensor
import VidTestSupport
import VidTrain

/// `vidclass cache` on the test's own cache.
@Suite struct CacheCommandTests {
    private let box: TestFolder
    private let environment: [String: String?]

    init() throws {
        box = try TestFolder()
        environment = ["XDG_CACHE_HOME": box("cache"), CacheBound.variable: "2.5"]
    }

    private func cache(_ arguments: String..., bound: String = "2.5") throws -> CommandLineTool.Result {
        try CommandLineTool.run(
            ["cache"] + arguments, in: box.path, environment: environment.merging([CacheBound.variable: bound]) { $1 })
    }

    /// Makes two clips' features, one clip check, and weights beside them; returns the bytes of the first three.
    private func fill() throws -> Int {
        let path = box("cache/vidclass/features")
        let clip = try box.write("clip.bin", [1])
        let folder = FeatureFolder(path, bound: CacheBound(gibibytes: 1), opened: .max, note: { _ in })
        let features = Buffer(count: 32)
        for digit in ["0", "f"] {
            folder.store(FeatureKey(digest: String(repeating: digit, count: 64)), features.tensor([4, 8]), validFrames: 4)
        }
        withExtendedLifetime(features) {}
        folder.remember("abc", of: clip, sampling: "")
        folder.save()
        try box.write("cache/vidclass/weights/vgg16-imagenet.safetensors", [1, 2, 3])
        return FeatureListing(path).bytes
    }

    @Test func infoOfAnEmptyCache() throws {
        let result = try cache("info", "--json")
        #expect(result.status == 0, "\(result.errors)")
        let document = try JSONParser.parse(Array(result.output.utf8))
        #expect(document["folder"]?.stringValue == box("cache/vidclass/features"))
        #expect(document["features"]?.intValue == 0)
        #expect(document["memos"]?.intValue == 0)
        #expect(document["bytes"]?.intValue == 0)
        #expect(document["bound_bytes"]?.intValue == 5 << 29)
        #expect(document["oldest_use"]?.isNull == true)
        let text = try cache("info").output
        #expect(text.contains("features  none\n") && text.contains("checks    none\n") && !text.contains("oldest"), "\(text)")
        #expect(document["newest_use"]?.isNull == true)
        #expect(!box.exists("cache"))
    }

    @Test func infoThenClear() throws {
        let bytes = try fill()
        let info = try cache("info", "--json")
        #expect(info.status == 0, "\(info.errors)")
        let document = try JSONParser.parse(Array(info.output.utf8))
        #expect(document["features"]?.intValue == 2)
        #expect(document["memos"]?.intValue == 1)
        #expect(document["bytes"]?.intValue == bytes)
        for key in ["oldest_use", "newest_use"] {
            let text = try #require(document[key]?.stringValue)
            let date = try Date(text, strategy: .iso8601)
            #expect(abs(date.timeIntervalSinceNow) < 600, "\(text)")
        }
        let text = try cache()
        #expect(text.status == 0, "\(text.errors)")
        #expect(text.output.contains("of 2 clips"))
        #expect(text.output.contains("of at most 2.5 GiB"))

        let clear = try cache("clear")
        #expect(clear.status == 0, "\(clear.errors)")
        #expect(clear.output.contains("(\(bytes) bytes)"))
        #expect(try box.names("cache/vidclass/features").isEmpty)
        #expect(try box.bytes("cache/vidclass/weights/vgg16-imagenet.safetensors") == [1, 2, 3])
        let again = try cache("clear")
        #expect(again.status == 0, "\(again.errors)")
        #expect(again.output.contains("(0 bytes)"))
    }

    @Test func refusesABoundThatIsNoNumber() throws {
        let result = try cache("info", bound: "much")
        #expect(result.status == 64)
        #expect(result.errors.contains("VIDCLASS_CACHE_GIB"))
        #expect(result.output.isEmpty)
        // An existing cache can still be cleared.
        _ = try fill()
        #expect(try cache("clear", bound: "much").status == 0)
        #expect(try box.names("cache/vidclass/features").isEmpty)
    }
}
