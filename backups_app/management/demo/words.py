"""Names and words of the demo's temple, in the scripts of those who come there."""

from __future__ import annotations

DEVOTEES = (
    "Lakshmi Narayanan", "Gopal Rao", "Sita Deshpande", "Arjun Menon", "Farida Khan", "Joseph Kurien",
    "सरस्वती देवी", "रामचन्द्र शर्मा", "गीता पाटील", "विष्णु कुलकर्णी", "பார்வதி சுந்தரம்", "முருகன் செல்வம்",
    "மீனாட்சி ராமன்", "ಕಾವೇರಿ ಗೌಡ", "ಬಸವರಾಜ ಹಿರೇಮಠ", "ಶಾರದಾ ಭಟ್", "వెంకటేశ్వర రావు", "అన్నపూర్ణ దేవి",
    "രാധാകൃഷ്ണൻ നായർ", "ലക്ഷ്മി അമ്മ", "অনন্যা চট্টোপাধ্যায়", "সুব্রত ঘোষ", "હર્ષદ પટેલ", "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ",
)  # fmt: skip

PRIESTS = (
    "Vedavyasa Bhat", "Raghavendra Acharya", "नारायण शास्त्री", "माधव जोशी", "சுப்பிரமணிய குருக்கள்", "கணேச சிவாச்சாரியார்",
    "ಶ್ರೀಧರ ಉಪಾಧ್ಯ", "ಅನಂತ ಅಡಿಗ", "సత్యనారాయణ శర్మ", "രാമൻ നമ്പൂതിരി", "দেবেন্দ্র ভট্টাচার্য", "Krishna Iyer",
    "मोरेश्वर गुरुजी", "Hari Prasad",
)  # fmt: skip

SEVAS = (
    ("Abhishekam", "अभिषेकम्", 501), ("Archana", "அர்ச்சனை", 51), ("Maha Mangalarati", "ಮಹಾ ಮಂಗಳಾರತಿ", 251),
    ("Satyanarayana Puja", "सत्यनारायण पूजा", 1100), ("Annadanam", "అన్నదానం", 2500), ("Homam", "ഹോമം", 5001),
    ("Vahana Puja", "ವಾಹನ ಪೂಜೆ", 350), ("Nama Karana", "नामकरण", 751), ("Kalyanotsavam", "கல்யாண உற்சவம்", 7500),
)  # fmt: skip

FESTIVALS = (
    "Makara Sankranti", "महाशिवरात्रि", "யுகாதி", "ರಾಮ ನವಮಿ", "அட்சய திருதியை", "গুরু পূর্ণিমা", "వరలక్ష్మీ వ్రతం",
    "जन्माष्टमी", "ഓണം", "गणेश चतुर्थी", "ನವರಾತ್ರಿ", "தீபாவளி", "कार्तिक पूर्णिमा", "Vaikunta Ekadashi", "హనుమాన్ జయంతి",
)  # fmt: skip

PRASADAM = ("Laddu", "ಪುಳಿಯೋಗರೆ", "சர்க்கரைப் பொங்கல்", "पंचामृत", "మైసూర్ పాక్", "പായസം", "Kesari bath")

GOODS = (
    ("Ghee", "kg"), ("Camphor", "kg"), ("Sandal paste", "g"), ("Marigold garlands", "pieces"), ("Coconuts", "pieces"),
    ("Rice", "kg"), ("Brass lamps", "pieces"), ("अगरबत्ती", "boxes"), ("கற்பூரம்", "kg"), ("ಕುಂಕುಮ", "g"),
)  # fmt: skip

REMARKS = (
    "दर्शन बहुत शान्ति से हुआ।", "The queue for the evening darshan was long, but well kept.", "அன்னதானம் மிகச் சிறப்பு.",
    "ಪಾರ್ಕಿಂಗ್ ವ್ಯವಸ್ಥೆ ಇನ್ನೂ ಚೆನ್ನಾಗಿರಬಹುದು.", "Please add benches near the tank.", "దర్శనం చాలా బాగుంది.",
)  # fmt: skip
