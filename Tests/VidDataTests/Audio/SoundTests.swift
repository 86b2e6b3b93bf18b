import Foundation
import Testing
import VidConfig
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// Sound files of every kind, good and bad.
@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: sounds are not tested"))
struct SoundTests {
    private static func decode(_ path: String, sampleRate: Int = 16000, maximumSamples: Int = 1 << 24) async throws -> [Float] {
        var samples: [Float] = []
        let decoder = SoundDecoder(sampleRate: sampleRate, maximumSamples: maximumSamples)
        let count = try await decoder.stream(path) { samples.append(contentsOf: $0) }
        #expect(count == samples.count)
        return samples
    }

    private static func loader(frames: Int = 4, channels: Int = 1, rows: Int = 32, _ shortClips: ShortClips = .loop) -> ClipLoader {
        ClipLoader(frames: frames, channels: channels, rows: rows, columns: 16, shortClips: shortClips)
    }

    /// Samples at the requested rate are not changed.
    @Test func aWaveFileIsExact() async throws {
        let folder = try TestFolder()
        let integers = (0..<40000).map { Int16(truncatingIfNeeded: $0 &* 7919) }
        let path = try folder.write("a.wav", TestSounds.wave(integers, sampleRate: 16000))
        #expect(try await SoundTests.decode(path) == integers.map { Float($0) / 32768 })
        let floats = TestSounds.chirp(seconds: 0.3, from: 100, to: 3000, sampleRate: 22050, noise: 0.1)
        let float = try folder.write("b.wav", TestSounds.wave(floats: floats, sampleRate: 22050))
        #expect(try await SoundTests.decode(float, sampleRate: 22050) == floats)
    }

    /// Two channels, and three.
    @Test(arguments: [2, 3])
    func channelsAreAveraged(_ channels: Int) async throws {
        let folder = try TestFolder()
        var random = RandomGenerator(seed: 40)
        let samples = (0..<3000 * channels).map { _ in Int16(truncatingIfNeeded: Int(random.nextWord())) }
        let path = try folder.write("a.wav", TestSounds.wave(samples, sampleRate: 8000, channels: channels))
        let found = try await SoundTests.decode(path, sampleRate: 8000)
        #expect(found.count == 3000)
        for (index, value) in found.enumerated() {
            let mean = (0..<channels).reduce(0.0) { $0 + Double(samples[index * channels + $1]) } / Double(channels) / 32768
            // Products and sums of floats below 1.
            #expect(abs(Double(value) - mean) <= 3e-7)
        }
    }

    /// A tone at another rate is the same tone.
    @Test(arguments: [(8000, 16000), (44100, 16000), (48000, 22050)])
    func anotherSampleRate(_ stored: Int, _ wanted: Int) async throws {
        let folder = try TestFolder()
        let tone = TestSounds.chirp(seconds: 0.5, from: 440, to: 440, sampleRate: stored)
        let path = try folder.write("a.wav", TestSounds.wave(floats: tone, sampleRate: stored))
        let found = try await SoundTests.decode(path, sampleRate: wanted)
        #expect(abs(found.count - wanted / 2) <= 2)
        let expected = TestSounds.chirp(seconds: 0.5, from: 440, to: 440, sampleRate: wanted)
        // Except at the ends, where the resampler has no neighbours. Measured: 1.1e-5.
        for (f, e) in zip(found, expected).dropFirst(200).dropLast(200) { #expect(abs(f - e) <= 1e-4) }
    }

    /// The spectrogram of an encoded chirp is close to that of the chirp.
    @Test(arguments: ["a.flac", "a.mp3", "a.ogg", "a.oga", "a.opus", "a.m4a", "a.aac", "a.aif", "a.aiff"])
    func containers(_ name: String) async throws {
        let videos = try Videos()
        let samples = TestSounds.chirp(seconds: 2, from: 200, to: 3000, sampleRate: 16000, noise: 0.05)
        let wave = try videos.folder.write("a.wav", TestSounds.wave(TestSounds.integers(samples), sampleRate: 16000))
        let path = videos.folder(name)
        try FFmpegProgram.run(["-i", wave] + (name == "a.mp3" ? ["-b:a", "128k"] : []) + [path])
        let sound = try await MediaFiles().sound(path)
        #expect(sound.channels == 1 && abs(sound.seconds - 2) <= 0.15 && sound.sampleRate == (name == "a.opus" ? 48000 : 16000))
        let found = try await SoundTests.loader(frames: 8).load(path)
        let expected = try await SoundTests.loader(frames: 8).load(wave)
        #expect(found.clip.shape == ClipShape(frames: 8, channels: 1, rows: 32, columns: 16))
        #expect(abs(found.sourceFrames - 8) <= 1)
        guard case .floats(let f) = found.clip.pixels, case .floats(let e) = expected.clip.pixels else {
            Issue.record("expected floats")
            return
        }
        let difference = zip(f, e).reduce(0) { $0 + abs($1.0 - $1.1) } / Float(f.count)
        let lossless = ["a.flac", "a.oga", "a.aif", "a.aiff"].contains(name)
        #expect(lossless ? f == e : difference <= 20, "mean difference \(difference) of 255")
    }

    @Test func framesAreSampledLikeAVideos() async throws {
        let folder = try TestFolder()
        let samples = TestSounds.chirp(seconds: 3, from: 200, to: 3000, sampleRate: 16000, noise: 0.01)
        let path = try folder.write("a.wav", TestSounds.wave(floats: samples, sampleRate: 16000))
        // 188 steps of 256 samples, 16 per frame: 11 frames and 12 remaining steps.
        let all = try await SoundTests.loader(frames: 12).load(path)
        #expect(all.sourceFrames == 12 && all.validFrames == 12 && all.framesPerSecond == 16000.0 / (256 * 16))
        let four = try await SoundTests.loader(frames: 4).load(path)
        #expect(four.clip.pixels == all.clip.selecting([1, 4, 7, 10]).pixels)
        #expect(four.framesPerSecond == all.framesPerSecond / 3)
        let masked = try await SoundTests.loader(frames: 20, .mask).load(path)
        #expect(masked.validFrames == 12 && masked.clip.shape.frames == 20)
        #expect(
            await failure { try await SoundTests.loader(frames: 20, .error).load(path) }.message.contains("at least 20 frames, found 12"))

        let colour = try await SoundTests.loader(frames: 12, channels: 3).load(path)
        #expect(colour.clip.shape.channels == 3)
        let channels = await failure { try await SoundTests.loader(channels: 2).load(path) }
        #expect(channels.message.contains("the model's input has 2; train with --set model.input.channels=1"))
        let rows = await failure { try await SoundTests.loader(rows: 512).load(path) }
        #expect(rows.message.contains("of 512 mel bands") && rows.message.contains("use --set data.audio.n_fft="), "\(rows.message)")
    }

    /// The parameters change the loader's cache key and its clips.
    @Test func parametersMatter() async throws {
        let folder = try TestFolder()
        let samples = TestSounds.chirp(seconds: 1, from: 200, to: 3000, sampleRate: 16000, noise: 0.01)
        let path = try folder.write("a.wav", TestSounds.wave(floats: samples, sampleRate: 16000))
        var texts: Set<String> = []
        var hashes: Set<String> = []
        let changes: [(inout AudioConfiguration) -> Void] = [
            { _ in }, { $0.sampleRate = 8000 }, { $0.fftSize = 600 }, { $0.hopLength = 100 }, { $0.minimumFrequency = 100 },
            { $0.maximumFrequency = 4000 }, { $0.topDecibels = 60 },
        ]
        for change in changes {
            var configuration = RunConfiguration()
            change(&configuration.data.audio)
            (configuration.model.input.frames, configuration.model.input.channels) = (2, 1)
            (configuration.model.input.rows, configuration.model.input.columns) = (16, 16)
            let loader = ClipLoader(configuration)
            texts.insert(loader.sampling(.whole, of: "a.wav"))
            hashes.insert(try await loader.load(path).contentHash)
        }
        #expect(texts.count == changes.count && hashes.count == changes.count)
    }

    @Test func whatIsNoSound() async throws {
        let videos = try Videos()
        let folder = videos.folder
        let good = TestSounds.wave(
            TestSounds.integers(TestSounds.chirp(seconds: 1, from: 300, to: 900, sampleRate: 8000)), sampleRate: 8000)
        try folder.write("good.wav", good)
        try videos.make("silent.mp4")
        try FileManager.default.copyItem(atPath: folder("silent.mp4"), toPath: folder("silent.m4a"))
        try folder.write("empty.wav")
        try folder.write("text.wav", text: "this is no sound\n")
        try folder.write("text.mp3", text: "this is no sound\n")
        try folder.write("text.flac", text: "this is no sound\n")
        try folder.write("text.ogg", text: "this is no sound\n")
        try folder.write("playlist.mp3", text: "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ngood.wav\n#EXT-X-ENDLIST\n")
        try folder.write("list.wav", text: "ffconcat version 1.0\nfile good.wav\n")
        try folder.write("none.wav", TestSounds.wave([Int16](), sampleRate: 8000))
        try folder.write("header.wav", Array(good[..<30]))
        try folder.write("infinite.wav", TestSounds.wave(floats: [0, 0.5, .infinity, 0], sampleRate: 16000))
        try folder.write("undefined.wav", TestSounds.wave(floats: [0, 0.5, .nan, 0], sampleRate: 16000))
        try folder.write("huge.wav", TestSounds.wave(floats: [0, 0.5, 1e30, 0], sampleRate: 16000))
        for (name, message) in [
            ("empty.wav", "the file is empty"), ("text.wav", "not a clip but a text file"),
            ("text.mp3", "not a clip but a text file"), ("text.flac", "not a clip but a text file"),
            ("text.ogg", "not a clip but a text file"), ("playlist.mp3", "not a clip but a playlist"),
            ("list.wav", "not a clip but a playlist"),
            ("silent.m4a", "has no sound (only pictures or data)"), ("none.wav", "0 seconds"),
            ("header.wav", "no sound that FFmpeg can read: "),
            ("infinite.wav", "not finite"), ("undefined.wav", "not finite"), ("huge.wav", "full scale is 1"),
        ] {
            let error = await failure { try await SoundTests.loader().load(folder(name)) }
            #expect(error.kind == .badData)
            #expect(error.message.hasPrefix(folder(name) + ": ") && error.message.contains(message), "\(error.message)")
        }
        #expect(await failure { try await SoundTests.loader().load(folder("missing.wav")) }.kind == .missingInput)
        #expect(await failure { try await SoundTests.loader().load("http://127.0.0.1:9/a.wav") }.kind == .missingInput)
    }

    /// A sound that is cut off is an error, except ADTS (.aac), a stream of blocks without a length.
    @Test(arguments: ["a.wav", "a.flac", "a.mp3", "a.ogg", "a.opus", "a.m4a", "a.aif"])
    func cutOff(_ name: String) async throws {
        let videos = try Videos()
        let samples = TestSounds.chirp(seconds: 3, from: 200, to: 3000, sampleRate: 16000, noise: 0.1)
        let wave = try videos.folder.write("wave.wav", TestSounds.wave(TestSounds.integers(samples), sampleRate: 16000))
        try FFmpegProgram.run(["-i", wave, videos.folder(name)])
        let bytes = try videos.folder.bytes(name)
        for share in [0.1, 0.5, 0.8] {
            let path = try videos.folder.write("cut/" + name, Array(bytes[..<Int(Double(bytes.count) * share)]))
            let error = await failure { try await SoundTests.loader().load(path) }
            #expect(error.kind == .badData)
            #expect(error.message.contains("cut off") || error.message.contains("no sound that FFmpeg can read: "), "\(error.message)")
        }
    }

    /// A program that writes to a pipe sets the length to the largest number.
    @Test func aWaveFileOfUnknownLength() async throws {
        let folder = try TestFolder()
        let path = try folder.write("a.wav", TestSounds.wave([Int16](repeating: 5, count: 1000), sampleRate: 16000, listed: .max))
        #expect(try await SoundTests.decode(path).count == 1000)
    }

    /// Flipped bits give frames or an error, nothing else.
    @Test(arguments: ["a.mp3", "a.ogg", "a.flac", "a.wav"])
    func damaged(_ name: String) async throws {
        let videos = try Videos()
        try FFmpegProgram.run(["-f", "lavfi", "-i", "sine=duration=1:sample_rate=16000", videos.folder(name)])
        let bytes = try videos.folder.bytes(name)
        var random = RandomGenerator(seed: 41)
        for _ in 0..<6 {
            var damaged = bytes
            for _ in 0..<5 { damaged[random.below(damaged.count)] ^= UInt8(1 << random.below(8)) }
            let path = try videos.folder.write("damaged/" + name, damaged)
            do {
                #expect(try await SoundTests.loader().load(path).clip.shape.frames == 4)
            } catch let error as VidclassError {
                #expect(error.kind == .badData)
            }
        }
    }

    @Test(arguments: [
        "with space.wav", "it's \"quoted\".wav", "-y.wav", "🐈 äöü.wav", "a:b,c;d.wav", "100%d.wav", "new\nline.wav", "CAPITALS.WAV",
    ])
    func oddNames(_ name: String) async throws {
        let folder = try TestFolder()
        let path = try folder.write(name, TestSounds.wave([Int16](repeating: 100, count: 9000), sampleRate: 16000))
        #expect(try await SoundTests.loader().load(path).clip.shape.frames == 4)
    }

    @Test func tooLong() async throws {
        let folder = try TestFolder()
        let path = try folder.write("a.wav", TestSounds.wave([Int16](repeating: 1, count: 32000), sampleRate: 16000))
        let error = await failure { try await SoundTests.decode(path, maximumSamples: 16000) }
        #expect(error.message.hasSuffix("expected at most 1 seconds of sound, found 2; cut it into shorter files"))
    }

    @Test func informationAboutASound() async throws {
        let folder = try TestFolder()
        let path = try folder.write("a.wav", TestSounds.wave([Int16](repeating: 1, count: 88200 * 2), sampleRate: 44100, channels: 2))
        let information = try await ClipInformation.read(path)
        let sound = try #require(information.sound)
        #expect(sound.codec == "pcm_s16le" && sound.sampleRate == 44100 && sound.channels == 2 && sound.seconds == 2 && sound.isListed)
        // 126 steps at the default rate of 62.5 a second: a frame of 64 and most of another.
        #expect(information.frames == 2 && information.channels == 1 && information.rows == 64 && information.columns == 64)
    }

    @Test func soundsAreClipsOfADataSet() throws {
        let folder = try DataSetTests.folder(["a/1.wav", "a/2.OGG", "b/3.mp3", "b/4.flac", "b/5.txt"])
        let data = try DataSet.open(folder.path, split: .none)
        #expect(data.entries.map(\.id) == ["a/1.wav", "a/2.OGG", "b/3.mp3", "b/4.flac"])
        #expect(try ClipInputs.clips(at: folder("b")) == [folder("b/3.mp3"), folder("b/4.flac")])
    }

    @Test func soundsAreNotPacked() async throws {
        let folder = try TestFolder()
        try folder.write("in/a.wav", TestSounds.wave([Int16](repeating: 1, count: 8000), sampleRate: 16000))
        let report = try await PackJob(source: folder("in"), destination: folder("out")).run()
        #expect(report.failures.map(\.source) == ["a.wav"])
        #expect(report.failures[0].error.message.contains("cannot pack sound"))
    }
}
