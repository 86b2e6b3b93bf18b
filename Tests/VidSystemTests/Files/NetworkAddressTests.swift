import Testing
import VidSystem

@Suite struct NetworkAddressTests {
    @Test(arguments: [
        ("rtsp://cam/1", "`ffmpeg -i rtsp://cam/1 -t 60 -c copy recording.mkv`"),
        ("https://x.org/a%20b.mp4?k=1&l=2", "`curl -L -o a%20b.mp4 'https://x.org/a%20b.mp4?k=1&l=2'`"),
        ("https://www.youtube.com/watch?v=abc", "`yt-dlp -o video.mp4 'https://www.youtube.com/watch?v=abc'`"),
        ("youtu.be/abc", "`yt-dlp -o video.mp4 https://youtu.be/abc`"), ("HTTP://host", "yt-dlp"), ("s3://bucket/x.mp4", "Copy the file"),
        ("file:///tmp/a b.mp4", "give the path instead: '/tmp/a b.mp4'"),
    ])
    func addresses(path: String, advice: String) {
        #expect(NetworkAddress.advice(path)?.contains(advice) == true, "\(NetworkAddress.advice(path) ?? "nil")")
        let error = #expect(throws: VidclassError.self) { try SystemCall.status(path) }
        #expect(error?.kind == .missingInput && error?.message.hasPrefix("\(path): is a") == true)
    }

    @Test(arguments: ["a.mp4", "youtube.com", "C:/x", "://x", "a/youtube.com/x", "", "clips/rtsp:/x", "ü://x"]) func paths(path: String) {
        #expect(NetworkAddress.advice(path) == nil)
    }
}
