/**
 * Passwords of eight characters and more that guessers try first: the top of the published lists of leaked ones, in
 * lower case. Shorter ones are refused by their length.
 */
export const COMMON_PASSWORDS: ReadonlySet<string> = new Set(
  `00000000 11111111 11112222 12121212 123123123 1231231234 123321123 12341234 12344321 123454321 12345678 123456789
  1234567890 1234567891 12345678910 123456789a 123456abc 1234qwer 123qweasd 123qweasdzxc 147258369 159753456 1a2b3c4d
  1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 22222222 55555555 66666666 77777777 789456123 87654321
  88888888 963852741 987654321 9876543210 99999999 a1b2c3d4 a1234567 a12345678 a123456789 aa123456 aa12345678 abc12345
  abc123456 abcd1234 abcd12345 abcdefgh abcdefg1 access14 administrator admin123 admin1234 admin12345 adminadmin
  alexander asdf1234 asdfasdf asdfghjk asdfghjkl asdfghjkl1 babygirl1 baseball baseball1 basketball bigdaddy butterfly
  charlie1 changeme chocolate christian christopher chocolate1 computer computer1 corvette danielle december dragon123
  elephant elizabeth estrella football football1 forever1 franklin freedom1 garfield google123 hannah123 hardcore
  helloworld hello123 hello1234 iloveyou iloveyou1 iloveyou2 iloveyou! internet isabella jasmine1 jennifer jessica1
  johnjohn jonathan jordan23 kimberly letmein1 letmein123 liverpool liverpool1 lovelove loveyou1 manchester marlboro
  martinez maverick mercedes metallica michael1 michelle midnight minecraft minecraft1 monkey12 monkey123 mustang1
  myspace1 nicholas nintendo november october1 p@ssw0rd p@ssword pa55word pa55w0rd pakistan passw0rd passw0rd1 password
  password! password1 password1! password12 password123 password1234 password2 password99 passwort passwort1 patricia
  playboy1 pokemon1 princess princess1 q1w2e3r4 q1w2e3r4t5 qazwsxedc qwe123456 qweasdzxc qweqweqwe qwer1234 qwer4321
  qwert123 qwert12345 qwertyui qwertyuiop qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyqwerty qwertz123
  qwertzuiop rammstein remember samantha samsung1 scorpion security september shadow12 slipknot snowball spiderman
  starwars starwars1 steelers stephanie summer12 sunshine sunshine1 superman superman1 superstar swordfish test1234
  test12345 testtest trustno1 veronica victoria welcome1 welcome123 whatever whatever1 william1 winston1 zaq12wsx
  zaq1zaq1 zxcvbnm1 zxcvbnm123`.split(/\s+/),
)
